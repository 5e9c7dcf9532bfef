// The address of a Redis, checked, and in a form that may be shown. Loads nothing, for most sweeps need no queue.
import { UserError } from "../errors.js";

/**
 * A URL of Redis as it may be shown: without user and password.
 *
 * @throws UserError when it is none
 */
export function redisName(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw notRedis();
  }
  if (!["redis:", "rediss:"].includes(parsed.protocol) || parsed.hostname === "") throw notRedis();
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === "/" ? "" : parsed.pathname}`;
}

const notRedis = (): UserError =>
  new UserError(
    "the queue's address is not one of Redis: expected redis://host:6379, or rediss://user:password@host:6379 for TLS.",
  );
