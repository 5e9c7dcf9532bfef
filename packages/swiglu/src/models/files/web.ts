// A file behind a URL, read by ranges: one request when it is opened, which usually holds the header, then one for each piece.
import { type ByteSource, checkRange, type Files, ModelFileError } from "./bytes.js";

/** How files on the web are asked for. */
export interface WebOptions {
  /** In place of the global fetch. */
  readonly fetch?: typeof fetch;
  /** Headers of every request, such as an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the first request asks for. */
const firstBytes = 65_536;

/** The file at a URL, with its neighbours by name; a folder's URL ends in a slash. */
export function webFiles(url: URL, options: WebOptions = {}): Files {
  const last = url.pathname.split("/").at(-1) as string;
  const main = last === "" ? undefined : decodeURIComponent(last);
  return {
    main,
    names: undefined,
    open: (name) => openUrl(name === main ? url : new URL(encodeURIComponent(name), url), name, options),
  };
}

async function openUrl(
  url: URL,
  name: string,
  { fetch: ask = fetch, headers = {} }: WebOptions,
): Promise<ByteSource | undefined> {
  const request = async (from: number, length: number): Promise<Response> => {
    const range = `bytes=${from}-${from + length - 1}`;
    try {
      return await ask(url, { headers: { ...headers, range } });
    } catch (cause) {
      throw new ModelFileError(`${url} could not be reached`, { cause });
    }
  };
  const response = await request(0, firstBytes);
  if (response.status === 404) return undefined;
  const first = await body(url, response, 0, firstBytes);
  const source: ByteSource = {
    name,
    size: first.size,
    fetched: first.bytes.length,
    async read(offset, length) {
      checkRange(source, offset, length);
      if (length === 0) return new Uint8Array(0);
      if (offset + length <= first.bytes.length) return first.bytes.subarray(offset, offset + length);
      const { bytes } = await body(url, await request(offset, length), offset, length);
      if (bytes.length !== length)
        throw new ModelFileError(`${url} gave ${bytes.length} bytes where ${length} were asked for`);
      return bytes;
    },
    async close() {},
  };
  return source;
}

/** The bytes of an answer, and the size of the whole file. A server that sends whole files is told from one that reads ranges. */
async function body(
  url: URL,
  response: Response,
  from: number,
  length: number,
): Promise<{ bytes: Uint8Array; size: number }> {
  if (response.status === 416) return { bytes: new Uint8Array(0), size: 0 };
  if (!response.ok) throw new ModelFileError(`${url} answered ${response.status} ${response.statusText}`);
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (response.status !== 206 || range === null) {
    const whole = Number(response.headers.get("content-length") ?? Number.NaN);
    if (from === 0 && whole <= length)
      return { bytes: new Uint8Array(await response.arrayBuffer()), size: whole };
    await response.body?.cancel();
    throw new ModelFileError(`${url} does not answer requests for ranges of bytes: download the file first`);
  }
  if (Number(range[1]) !== from)
    throw new ModelFileError(`${url} answered with bytes from ${range[1]} where ${from} was asked for`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > length)
    throw new ModelFileError(`${url} gave ${bytes.length} bytes where ${length} were asked for`);
  return { bytes, size: Number(range[3]) };
}
