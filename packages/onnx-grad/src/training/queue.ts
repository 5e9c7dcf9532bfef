// Work that is done one piece after the other, in the order in which it was asked for.

export class Queue {
  private last: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  /** `gone` is the error of what is asked for after the end. */
  constructor(private readonly gone: string) {}

  /** Does work when all before it has ended. Work that fails is the caller's error, and the next one goes on. */
  add<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing) return Promise.reject(new Error(this.gone));
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Does the last piece of work; the second time it is the same one. */
  close(work: () => Promise<void>): Promise<void> {
    this.closing ??= this.last.then(work);
    return this.closing;
  }
}
