/**
 * Prints, as JSON, what the engine answers to expressions that ask ICU: one object, from the
 * expression's name to its value. Built with and without ICU's languages, the answers are compared.
 */

type Expression = readonly [name: string, value: () => unknown];

const moments = [0, 951_782_400_000, 1_711_846_800_000, 1_730_003_400_000, -2_208_988_800_000];
const words = ["zebra", "Äpfel", "apfel", "Zebra", "éclair", "eclair", "ß", "ss", "1", "10", "2"];

const normalizing: Expression[] = (["NFC", "NFD", "NFKC", "NFKD"] as const).flatMap((form) =>
  ["Å", "A\u030a", "ﬁ", "①", "한글", "\u1e9b\u0323", "Ω"].map(
    (text): Expression => [`${form} of ${text}`, () => ascii(text.normalize(form))],
  ),
);

const casing: Expression[] = ["straße", "İstanbul", "ΣΊΣΥΦΟΣ", "ǅ", "ﬃ", "i̇"].flatMap(
  (text): Expression[] => [
    [`${text} upper`, () => ascii(text.toUpperCase())],
    [`${text} lower`, () => ascii(text.toLowerCase())],
    [`${text} upper, locale`, () => ascii(text.toLocaleUpperCase("en"))],
  ],
);

const comparing: Expression[] = [
  ["sorted", () => [...words].sort((a, b) => a.localeCompare(b))],
  ["sorted, en", () => [...words].sort(new Intl.Collator("en").compare)],
  ["numeric", () => [...words].sort(new Intl.Collator("en", { numeric: true }).compare)],
  ["base", () => new Intl.Collator("en", { sensitivity: "base" }).compare("a", "Á")],
  ["accent", () => new Intl.Collator("en", { sensitivity: "accent" }).compare("a", "á")],
];

const time: Expression[] = moments.flatMap((at): Expression[] => {
  const date = new Date(at);
  return [
    [`${at} text`, () => date.toString()],
    [`${at} offset`, () => date.getTimezoneOffset()],
    [`${at} locale`, () => date.toLocaleString()],
    [`${at} date`, () => date.toLocaleDateString("en-GB", { dateStyle: "full" })],
    [
      `${at} Tokyo`,
      () => date.toLocaleTimeString("en", { timeZone: "Asia/Tokyo", timeStyle: "long" }),
    ],
    [`${at} local`, () => new Date(2026, 2, 29, 2, 30, at % 7).getTime()],
  ];
});

const formatting: Expression[] = [
  ["number", () => (1234567.891).toLocaleString()],
  ["number, en", () => new Intl.NumberFormat("en", { style: "percent" }).format(0.256)],
  [
    "currency, en",
    () => new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(1),
  ],
  [
    "currency, de",
    () => new Intl.NumberFormat("de", { style: "currency", currency: "EUR" }).format(1),
  ],
  ["compact", () => new Intl.NumberFormat("en", { notation: "compact" }).format(123456)],
  ["unit", () => new Intl.NumberFormat("en", { style: "unit", unit: "megabyte" }).format(3)],
  ["plural", () => [0, 1, 2].map((n) => new Intl.PluralRules("en").select(n))],
  [
    "ordinal",
    () => [1, 2, 3, 4].map((n) => new Intl.PluralRules("en", { type: "ordinal" }).select(n)),
  ],
  ["list", () => new Intl.ListFormat("en").format(["a", "b", "c"])],
  ["relative", () => new Intl.RelativeTimeFormat("en").format(-3, "day")],
  ["language", () => new Intl.DisplayNames("en", { type: "language" }).of("de-CH")],
  ["region", () => new Intl.DisplayNames("en", { type: "region" }).of("DE")],
  [
    "words",
    () => [...new Intl.Segmenter("en", { granularity: "word" }).segment("It is, no?")].length,
  ],
  ["letters", () => [...new Intl.Segmenter().segment("👩‍👩‍👧‍👦e\u0301🇩🇪")].length],
  [
    "sentences",
    () => [...new Intl.Segmenter("en", { granularity: "sentence" }).segment("A. B.")].length,
  ],
  ["zone", () => new Intl.DateTimeFormat().resolvedOptions().timeZone],
  ["locale", () => new Intl.DateTimeFormat().resolvedOptions().locale],
  ["calendar", () => new Intl.DateTimeFormat("en", { calendar: "hebrew" }).format(0)],
  ["maximized", () => new Intl.Locale("en").maximize().toString()],
  ["zones", () => Intl.supportedValuesOf("timeZone").length],
];

const matching: Expression[] = [
  ["\\p{L}", () => "aÄ1ß한".match(/\p{L}/gu)?.length],
  ["script", () => /^\p{Script=Greek}+$/u.test("Ωμέγα")],
  ["ignored case", () => [/ſ/iu.test("S"), /K/iu.test("k"), /ß/i.test("ẞ")]],
  ["\\w and \\b", () => "ünï code".split(/\b/u)],
  ["emoji", () => /^\p{RGI_Emoji}$/v.test("👩‍🚀")],
  ["identifiers", () => [/^\p{ID_Start}$/u.test("ℼ"), /^\p{ID_Continue}$/u.test("·")]],
];

const decoding: Expression[] = [
  ...(["utf-8", "utf-16le", "latin1", "windows-1252"] as const).map(
    (name): Expression => [
      `decoded as ${name}`,
      () => ascii(new TextDecoder(name).decode(Uint8Array.of(0x41, 0xe4, 0x82, 0xa0, 0xb0, 0xa1))),
    ],
  ),
  ["IDN", () => new URL("https://bücher.example/ä?ö#ü").href],
  ["IDN, casing", () => new URL("https://STRASSE.ẞ.example").host],
  ["IDN, refused", () => new URL("https://a\u00adb.xn--a.example").host],
];

/** ASCII, so that what differs can be read. */
function ascii(text: string): string {
  return text.replace(/[^ -~]/gu, (one) => `{${one.codePointAt(0)?.toString(16)}}`);
}

const answers = Object.fromEntries(
  [normalizing, casing, comparing, time, formatting, matching, decoding]
    .flat()
    .map(([name, value]) => {
      try {
        return [name, value() ?? null];
      } catch (error) {
        return [name, error instanceof Error ? `${error.name}: ${error.message}` : "?"];
      }
    }),
);
console.log(JSON.stringify(answers));
