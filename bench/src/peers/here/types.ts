// What sides see of the place where they run, whichever it is: `#here` is node.ts in Node and worker.ts in a bundle for
// browsers, which have the same functions.

/** What the driver passes to a side when it starts it. */
export interface Options {
  readonly threads: number;
  readonly variant?: string;
}

/** A thread that helps a side. */
export interface Helper {
  terminate(): unknown;
}
