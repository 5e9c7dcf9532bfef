// Divides an elementwise call into pieces that a kernel can go through: runs of consecutive elements with fixed strides.
// Packed layouts and per-channel parameters both become strides here, and pieces are divided among threads.
import { leastCommonMultiple } from "../../call/channels.js";
import type { ParameterValue } from "../../call/data.js";
import { type View, viewIndex } from "../../layout.js";

/** Runs of consecutive elements of the result: `runs` times `count`, each `step` elements after the last. */
export interface Piece {
  readonly start: number;
  readonly runs: number;
  readonly count: number;
  readonly step: number;
  /** Where in the channels the first run begins, and how far on the next one does. */
  readonly channel: number;
  readonly channelStep: number;
}

/** Short channels are repeated, so that the inner loop is at least this long. */
const shortest = 1024;

/**
 * How many channel values a call needs in memory: a common multiple of all parameters' lengths; 0 where none is per
 * channel. `run` is the length of the consecutive stretches of the inputs.
 */
export function channelLength(parameters: readonly ParameterValue[], run: number, count: number): number {
  const lengths = parameters.flatMap((value) => (typeof value === "number" ? [] : [value.length]));
  if (lengths.length === 0 || count === 0) return 0;
  const common = lengths.reduce(leastCommonMultiple);
  if (run >= count) return Math.min(count, common * Math.ceil(shortest / common));
  return common % run === 0 || run % common === 0 ? common : count;
}

/** The pieces of a call over `count` elements in stretches of `run`, with `channels` channel values (0: none). */
export function pieces(count: number, run: number, channels: number): Piece[] {
  if (count === 0) return [];
  if (channels === 0)
    return [{ start: 0, runs: count / run, count: run, step: run, channel: 0, channelStep: 0 }];
  if (run >= count) {
    const whole = Math.floor(count / channels);
    const rest = count - whole * channels;
    const common = { step: channels, channel: 0, channelStep: 0 };
    return [
      { ...common, start: 0, runs: whole, count: channels },
      { ...common, start: whole * channels, runs: rest > 0 ? 1 : 0, count: rest },
    ].filter(({ runs }) => runs > 0);
  }
  if (channels % run === 0)
    return Array.from({ length: channels / run }, (_, k) => ({
      start: k * run,
      runs: count / channels,
      count: run,
      step: channels,
      channel: k * run,
      channelStep: 0,
    }));
  return Array.from({ length: count / run }, (_, k) => ({
    start: k * run,
    runs: run / channels,
    count: channels,
    step: channels,
    channel: 0,
    channelStep: 0,
  }));
}

/** Below this many elements a second thread costs more than it does. */
const smallest = 8192;
/** Groups of this size make up for threads that are not equally fast. */
const fine = 2 ** 16;

/** Divides pieces into groups of about equal work: one for each thread, or several where there is much to do. */
export function divide(all: readonly Piece[], threads: number): Piece[][] {
  const total = all.reduce((sum, { runs, count }) => sum + runs * count, 0);
  const even = total / threads;
  const wanted = threads === 1 ? even : Math.max(even / 4, Math.min(even, fine));
  const share = Math.max(smallest, Math.ceil(wanted / 64) * 64);
  const groups: Piece[][] = [];
  let room = 0;
  for (let rest of all) {
    while (rest.runs > 0) {
      if (room < 64) {
        groups.push([]);
        room = share;
      }
      const [part, remaining] = take(rest, room);
      groups.at(-1)?.push(part);
      room -= part.runs * part.count;
      rest = remaining;
    }
  }
  return groups;
}

/** As much of a piece as fits, and what is left of it. */
function take(piece: Piece, room: number): [Piece, Piece] {
  const { start, runs, count, step, channel, channelStep } = piece;
  if (runs * count <= room) return [piece, { ...piece, runs: 0 }];
  if (runs > 1) {
    const some = Math.max(1, Math.floor(room / count));
    return [
      { ...piece, runs: some },
      { ...piece, start: start + some * step, runs: runs - some, channel: channel + some * channelStep },
    ];
  }
  const some = Math.min(count, Math.ceil(room / 64) * 64);
  return [
    { ...piece, count: some },
    {
      ...piece,
      start: start + some,
      count: count - some,
      channel: channel + some,
      runs: count > some ? 1 : 0,
    },
  ];
}

/** A stream through a piece of an operand: the address of its first element, and the distance in bytes between its runs. */
export function streamOf(
  piece: Piece,
  view: View,
  address: number,
): { readonly base: number; readonly stride: number } {
  const first = viewIndex(view, piece.start);
  const second = piece.runs > 1 ? viewIndex(view, piece.start + piece.step) : first;
  return { base: address + 4 * first, stride: 4 * (second - first) };
}
