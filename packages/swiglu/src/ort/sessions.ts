// The models that a backend or a block has loaded, each once, by key. They are freed when the last call that uses them has ended.
import type { Model } from "../onnx/model/model.js";
import type { Session } from "../onnx/runtime/session.js";
import type { Loader } from "./loader.js";

export class Sessions {
  private readonly loaded = new Map<string, Promise<Session>>();
  private active = 0;
  private closed = false;

  constructor(private readonly loader: Loader) {}

  /** Does work that runs sessions. They stay loaded until the work has ended, even if `close` is called meanwhile. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.active++;
    try {
      return await work();
    } finally {
      this.active--;
      this.releaseIdle();
    }
  }

  /** The session with this key; the first time, its model is loaded from `model`. */
  session(key: string, model: () => Model): Promise<Session> {
    const known = this.loaded.get(key);
    if (known !== undefined) return known;
    const loading = this.loader.load(model());
    this.loaded.set(key, loading);
    // A model that failed to load is forgotten, so that the next call tries again.
    loading.catch(() => this.loaded.delete(key));
    return loading;
  }

  /** Frees all sessions as soon as the calls under way have ended. */
  close(): void {
    this.closed = true;
    this.releaseIdle();
  }

  private releaseIdle(): void {
    if (!this.closed || this.active > 0) return;
    for (const session of this.loaded.values()) void session.then((loaded) => loaded.release());
    this.loaded.clear();
  }
}
