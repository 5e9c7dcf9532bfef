// The files of one model, each opened once and closed together, and how many bytes were asked of them.
import { type ByteSource, type Files, ModelFileError } from "./bytes.js";

/** Files, each opened once, that count what is read of them. */
export class Counted {
  readonly #files: Files;
  readonly #open = new Map<string, Promise<ByteSource | undefined>>();
  bytes = 0;

  constructor(files: Files) {
    this.#files = files;
  }
  get main(): string | undefined {
    return this.#files.main;
  }
  get names(): readonly string[] | undefined {
    return this.#files.names;
  }

  open(name: string): Promise<ByteSource | undefined> {
    let opened = this.#open.get(name);
    if (opened === undefined) {
      opened = this.#files.open(name).then((source) => source && this.#counted(source));
      this.#open.set(name, opened);
    }
    return opened;
  }

  /** Opens a file that must be there. */
  async need(name: string): Promise<ByteSource> {
    const source = await this.open(name);
    if (source === undefined) throw new ModelFileError(`${name} is missing`);
    return source;
  }

  #counted(source: ByteSource): ByteSource {
    this.bytes += source.fetched ?? 0;
    return {
      name: source.name,
      size: source.size,
      read: (offset, length) => {
        this.bytes += length;
        return source.read(offset, length);
      },
      close: () => source.close(),
    };
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const result of opened) if (result.status === "fulfilled") await result.value?.close();
  }
}
