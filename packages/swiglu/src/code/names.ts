// Names in printed code: by the language's custom, none that means something in any of the languages, each once.

/** Words and functions of the languages. One list for all: a name that avoids one more word is no worse. */
const reserved: ReadonlySet<string> = new Set(
  `abs abstract acos active alias all alignas alignof and any arctan arguments array as asin asm assert async atan atan2 attribute
   auto await bitcast bool boolean break buffer byte case cast catch ceil centroid char clamp class coherent common compile
   complex const const_assert const_cast constexpr constructor continue continuing cos cosh cross debugger decltype def default
   degrees del delete diagnostic discard distance do dot double dy elif else enable enum erf eval except exec exp exp2 expm1
   export extends extern external f16 f32 fabs fallthrough false final finally fixed flat float floor fma fmax fmin fn for
   fract friend from function get global goto half handle hlsl highp i32 if implements import impl in inf infinity inline inout
   input instanceof int interface invariant inverse is isinf isnan jax jit jnp keras lambda layout ldexp len length let list
   log log1p log2 long loop lowp main mat2 mat3 mat4 match math max mediump min mix mod module move mut mutable namespace nan
   new nil noexcept noise nonlocal normalize normcdf not null nullptr of operator ops or out output override package pass pi
   pow precise precision print priv private protected protected proc public range readonly ref register requires resource
   restrict return round row sampler sample select self set shared short sign signed sin sinh sizeof smooth smoothstep sqrt
   static std step struct subroutine super superp switch symbol tan tanh target template texture this thread throw torch trait
   transpose true trunc try type typedef typeid typename typeof u32 uint undefined uniform union unless unsafe unsigned
   unsized use using var varying vec vec2 vec3 vec4 virtual void volatile wgsl where while with writeonly yield None True False
   Math Number Infinity NaN`.split(/\s+/),
);

export class Names {
  private count = 0;

  constructor(
    private readonly custom: (name: string) => string,
    private readonly taken = new Set<string>(),
  ) {}

  /** The name as the language writes it, changed where it is taken or reserved. */
  take(name: string): string {
    // GLSL keeps what has two underscores in a row, or gl_ in front, for itself.
    let own = this.custom(name).replace(/_{2,}/g, "_").replace(/^gl_/, "own_gl_");
    if (reserved.has(own)) own = `${own}_`.replace(/_+$/, "_");
    let free = own;
    for (let i = 2; this.taken.has(free) || reserved.has(free); i++) free = `${own.replace(/_$/, "")}_${i}`;
    this.taken.add(free);
    return free;
  }

  /** A name for a part: t1, t2 ... */
  numbered(): string {
    for (;;) {
      this.count++;
      const name = `t${this.count}`;
      if (this.taken.has(name)) continue;
      this.taken.add(name);
      return name;
    }
  }

  /** Names inside of a function, which must not hide those outside. */
  within(): Names {
    return new Names(this.custom, new Set(this.taken));
  }
}

/** alphaP is alpha_p. */
export const snakeCase = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, (_, before, capital) => `${before}_${capital.toLowerCase()}`);
