// A queue of asynchronous work: one piece after the other, in the order in which they were added.

export class Queue {
  private last: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  /** `gone` is the message of the error for work that is added after `close`. */
  constructor(private readonly gone: string) {}

  /** Does work when all earlier work has ended. An error of the work goes to the caller; the queue continues. */
  add<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing) return Promise.reject(new Error(this.gone));
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Does the last piece of work. A second call returns the promise of the first. */
  close(work: () => Promise<void>): Promise<void> {
    this.closing ??= this.last.then(work);
    return this.closing;
  }
}
