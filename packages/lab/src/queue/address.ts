// The address of a Redis, checked, and in a form that may be shown. Loads nothing, for most sweeps need no queue.
import { UserError } from "../system/errors.js";

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
  for (const part of [parsed.username, parsed.password]) refuseBadEscape(part);
  if (parsed.search !== "" || parsed.hash !== "")
    throw new UserError(
      "the queue's address has a ? or a #: write these as %3F and %23 where they are part of a user or password.",
    );
  if (!/^(\/\d{0,4})?$/.test(parsed.pathname))
    throw new UserError(
      "the queue's address has no number of a database after its /: expected /0, or nothing.",
    );
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === "/" ? "" : parsed.pathname}`;
}

/** Without the text, which may be a password. */
function refuseBadEscape(part: string): void {
  try {
    decodeURIComponent(part);
  } catch {
    throw new UserError(
      "the queue's address has a % in its user or password that begins no character: write a % itself as %25.",
    );
  }
}

const notRedis = (): UserError =>
  new UserError(
    "the queue's address is not one of Redis: expected redis://host:6379, or rediss://user:password@host:6379 for TLS.",
  );
