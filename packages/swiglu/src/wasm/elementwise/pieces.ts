// Divides an elementwise call into pieces, and pieces among threads. A kernel goes through one piece at a time.
//
// A piece is `runs` runs of `count` consecutive elements of the result. Each run begins `step` elements after the one before:
//
//     result      |<- count ->|      |<- count ->|      |<- count ->|        runs = 3
//                 |<----- step ----->|
//
// The elements of a run are consecutive in every input too, at a distance of its own. In a packed tensor of the layout
// gate-first with rows of 2 n numbers, a run of the result is n elements:
//
//     packed      | gate 0 | up 0 | gate 1 | up 1 | ...       gate: runs begin 2 n apart, from 0 on
//     result      | y 0    | y 1  | ...                       up:   runs begin 2 n apart, from n on
//
// A parameter with a value for each channel adds the condition that channels are consecutive in a run.
import { leastCommonMultiple } from "../../call/channels.js";
import type { ParameterValue } from "../../call/data.js";
import { type View, viewIndex } from "../../layout.js";

/** See the first picture. */
export interface Piece {
  /** The first element. */
  readonly start: number;
  readonly runs: number;
  readonly count: number;
  readonly step: number;
  /** The channel of the first element. */
  readonly channel: number;
  /** The distance in channels from the beginning of one run to that of the next. */
  readonly channelStep: number;
}

/** Values of few channels are repeated in memory, so that a run has at least about this many elements. */
const shortest = 1024;

/**
 * How many channel values a call needs in memory for each parameter: a common multiple of all parameters' lengths, or 0 where
 * every parameter is one number. `run` is how many elements are consecutive in the inputs.
 */
export function channelLength(parameters: readonly ParameterValue[], run: number, count: number): number {
  const lengths = parameters.flatMap((value) => (typeof value === "number" ? [] : [value.length]));
  if (lengths.length === 0 || count === 0) return 0;
  const common = lengths.reduce(leastCommonMultiple);
  if (run >= count) return Math.min(count, common * Math.ceil(shortest / common));
  return common % run === 0 || run % common === 0 ? common : count;
}

/** The pieces of a call over `count` elements, of which `run` are consecutive, with `channels` channel values (0 for none). */
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

/** A group has at least this many elements: waking a thread for fewer takes longer than computing them. */
const smallest = 8192;
/** Large calls are divided into groups of about this many elements, several for each thread, since threads are not equally fast. */
const fine = 2 ** 16;

/** Divides pieces into groups of about equal work: one for each thread, or several in a large call. */
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

/** Divides a piece in two: as much of it as fits into `room` elements, and the rest. */
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

/** The stream of an input along a piece: the address of its first element, and the bytes from one run to the next. */
export function streamOf(
  piece: Piece,
  view: View,
  address: number,
): { readonly base: number; readonly stride: number } {
  const first = viewIndex(view, piece.start);
  const second = piece.runs > 1 ? viewIndex(view, piece.start + piece.step) : first;
  return { base: address + 4 * first, stride: 4 * (second - first) };
}
