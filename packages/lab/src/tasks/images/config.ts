// The configuration of the task of naming what images show.
import type { DataConfig } from "../common/config.js";

export interface ImagesConfig {
  readonly task: "images";
  readonly data: DataConfig & { readonly imageSize: number; readonly classes: number };
  readonly patch: number;
}
