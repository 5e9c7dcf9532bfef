// A GPU device that computes nothing and writes down what it is asked to do: for tests of commands where there is no GPU.
// It refuses what every real device would: kernels whose bindings differ from what is bound, and grids that are too long.

/** A buffer, as the log shows it. */
export interface FakeBuffer {
  readonly size: number;
  readonly usage: number;
  destroyed: boolean;
}

/** A dispatch: which kernel (its label), on which buffers, and its grid. */
interface Dispatch {
  readonly kernel: string;
  readonly code: string;
  readonly buffers: readonly FakeBuffer[];
  readonly groups: readonly number[];
}

/** What a device was asked to do, in order. */
export interface Log {
  readonly compiled: string[];
  readonly dispatches: Dispatch[];
  readonly buffers: FakeBuffer[];
  readonly uploads: FakeBuffer[];
  readonly copies: { readonly from: FakeBuffer; readonly to: FakeBuffer; readonly bytes: number }[];
  submits: number;
}

interface Pipeline {
  readonly label: string;
  readonly code: string;
  getBindGroupLayout(index: number): Pipeline;
}
interface Entry {
  readonly binding: number;
  readonly resource: { readonly buffer: FakeBuffer; readonly offset: number; readonly size: number };
}

/** The limits that every device has. */
export const limits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65_535,
};

/** A device with these features, and its log. */
export function fakeDevice(features: readonly string[] = []): { device: GPUDevice; log: Log } {
  const log: Log = { compiled: [], dispatches: [], buffers: [], uploads: [], copies: [], submits: 0 };
  const device = {
    features: new Set(features),
    limits,
    adapterInfo: { subgroupMinSize: 32 },
    lost: new Promise(() => {}),
    pushErrorScope() {},
    popErrorScope: async () => null,
    destroy() {},
    createBuffer: (descriptor: { size: number; usage: number }) => fakeBuffer(descriptor, log),
    createShaderModule: ({ label, code }: { label: string; code: string }) => {
      log.compiled.push(label);
      return { code };
    },
    createComputePipeline: ({ label, compute }: { label: string; compute: { module: { code: string } } }) => {
      const pipeline: Pipeline = { label, code: compute.module.code, getBindGroupLayout: () => pipeline };
      return pipeline;
    },
    createBindGroup: ({ layout, entries }: { layout: Pipeline; entries: readonly Entry[] }) =>
      checkEntries(layout, entries),
    createCommandEncoder: () => fakeEncoder(log),
    queue: {
      writeBuffer: (buffer: FakeBuffer) => log.uploads.push(buffer),
      submit: () => {
        log.submits++;
      },
    },
  };
  return { device: as<GPUDevice>(device), log };
}

/** The fake itself where the types ask for the real thing. */
const as = <T>(value: unknown): T => value as T;

function fakeBuffer({ size, usage }: { size: number; usage: number }, log: Log): FakeBuffer {
  const buffer = {
    size,
    usage,
    destroyed: false,
    mapState: "unmapped",
    destroy() {
      buffer.destroyed = true;
    },
    mapAsync: async () => {},
    getMappedRange: (_: number, bytes: number) => new ArrayBuffer(bytes),
    unmap() {},
  };
  log.buffers.push(buffer);
  return buffer;
}

function fakeEncoder(log: Log) {
  let pipeline: Pipeline | undefined;
  let entries: readonly Entry[] = [];
  return {
    beginComputePass: () => ({
      setPipeline: (next: Pipeline) => {
        pipeline = next;
      },
      setBindGroup: (_: number, group: readonly Entry[]) => {
        entries = group;
      },
      dispatchWorkgroups: (...groups: number[]) => {
        if (pipeline === undefined) throw new Error("a dispatch without a pipeline");
        if (groups.some((count) => count > limits.maxComputeWorkgroupsPerDimension))
          throw new Error(`a grid of ${groups}`);
        const { label: kernel, code } = pipeline;
        log.dispatches.push({
          kernel,
          code,
          buffers: entries.map(({ resource }) => resource.buffer),
          groups,
        });
      },
      end() {},
    }),
    copyBufferToBuffer: (from: FakeBuffer, _: number, to: FakeBuffer, __: number, bytes: number) => {
      log.copies.push({ from, to, bytes });
    },
    finish: () => ({}),
  };
}

/** What is bound must be what the kernel declares, no buffer written and bound twice, none destroyed. */
function checkEntries({ label, code }: Pipeline, entries: readonly Entry[]): readonly Entry[] {
  const declared = [...code.matchAll(/@binding\((\d+)\) var<(.*?)>/g)];
  const places = declared.map(([, binding]) => Number(binding));
  if (places.join() !== entries.map(({ binding }) => binding).join())
    throw new Error(`${label} declares the bindings ${places}, ${entries.length} are bound`);
  entries.forEach(({ resource: { buffer, offset, size } }, i) => {
    if (buffer.destroyed) throw new Error(`${label}: binding ${i} is destroyed`);
    if (offset % 256 !== 0 || offset + size > buffer.size)
      throw new Error(`${label}: binding ${i} takes ${size} bytes from ${offset} of ${buffer.size}`);
    const written = declared[i]?.[2]?.includes("read_write");
    const shared = entries.some(
      ({ resource }, k) =>
        k !== i &&
        resource.buffer === buffer &&
        resource.offset < offset + size &&
        offset < resource.offset + resource.size,
    );
    if (written && shared) throw new Error(`${label}: binding ${i} is written, and bound twice`);
  });
  return entries;
}
