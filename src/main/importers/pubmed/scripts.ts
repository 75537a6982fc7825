/** Characters that Unicode has as superscripts and subscripts, written as pairs of plain and raised. */
const SUPERSCRIPTS = characterMap(
  '0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ',
  '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ',
);
const SUBSCRIPTS = characterMap(
  '0123456789+-−=()aehijklmnoprstuvxβγρφχ',
  '₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ',
);

export function toSuperscript(text: string): string {
  return raise(text, SUPERSCRIPTS);
}

export function toSubscript(text: string): string {
  return raise(text, SUBSCRIPTS);
}

/** The whole text in raised characters, or unchanged where Unicode lacks one of them: never half of it. */
function raise(text: string, map: ReadonlyMap<string, string>): string {
  let raised = '';
  for (const character of text) {
    const other = /\s/.test(character) ? character : map.get(character);
    if (other === undefined) return text;
    raised += other;
  }
  return raised;
}

function characterMap(plain: string, raised: string): ReadonlyMap<string, string> {
  const to = Array.from(raised);
  return new Map(Array.from(plain).map((character, i) => [character, to[i] ?? character]));
}
