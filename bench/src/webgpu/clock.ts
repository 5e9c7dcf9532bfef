// A clock inside the GPU: every compute pass that begins while it runs gets timestamps, whichever library begins it.
import type { DeviceClock } from "../peers/serve.js";

/** Passes that one query set can time. */
const mostPasses = 2048;
/** GPUBufferUsage: QUERY_RESOLVE | COPY_SRC, and MAP_READ | COPY_DST. */
const usages = { resolved: 512 + 4, read: 1 + 8 };
const forReading = 1;

/** The clock of a device; undefined where it was made without timestamp-query. */
export const clockOf = (device: GPUDevice): DeviceClock | undefined =>
  device.features.has("timestamp-query") ? new PassClock(device) : undefined;

class PassClock implements DeviceClock {
  private readonly timestamps: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly readable: GPUBuffer;
  private running = false;
  private passes = 0;

  constructor(private readonly device: GPUDevice) {
    const size = 2 * mostPasses * 8;
    this.timestamps = device.createQuerySet({ type: "timestamp", count: 2 * mostPasses });
    this.resolved = device.createBuffer({ size, usage: usages.resolved });
    this.readable = device.createBuffer({ size, usage: usages.read });
    const create = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => this.watched(create(descriptor));
  }

  start(): void {
    this.running = true;
    this.passes = 0;
  }

  /** The sum of all passes' milliseconds. */
  async stop(): Promise<number> {
    const { device, timestamps, resolved, readable, passes } = this;
    this.running = false;
    if (passes > mostPasses)
      throw new Error(`${passes} passes are more than the clock has room for, ${mostPasses}`);
    if (passes === 0) return 0;
    const bytes = 2 * passes * 8;
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(timestamps, 0, 2 * passes, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await readable.mapAsync(forReading, 0, bytes);
    const times = new BigUint64Array(readable.getMappedRange(0, bytes).slice(0));
    readable.unmap();
    let nanoseconds = 0;
    for (let i = 0; i < times.length; i += 2) nanoseconds += Number(times[i + 1]! - times[i]!);
    return nanoseconds / 1e6;
  }

  private watched(encoder: GPUCommandEncoder): GPUCommandEncoder {
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (descriptor) => begin({ ...descriptor, ...this.next() });
    return encoder;
  }

  /** The timestamps of the next pass, while the clock runs and there is room. */
  private next(): Pick<GPUComputePassDescriptor, "timestampWrites"> {
    if (!this.running) return {};
    const index = 2 * this.passes++;
    if (this.passes > mostPasses) return {};
    return {
      timestampWrites: {
        querySet: this.timestamps,
        beginningOfPassWriteIndex: index,
        endOfPassWriteIndex: index + 1,
      },
    };
  }
}
