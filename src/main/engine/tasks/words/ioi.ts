/** Common first names; each is checked against the tokenizer before use. */
export const NAMES: readonly string[] =
  `Aaron Adam Alan Albert Alex Alice Amanda Amy Andrea Andrew Angela Anna Anne Anthony Arthur Barbara Ben
Benjamin Brandon Brian Bruce Carl Carlos Carol Caroline Catherine Charles Charlotte Chris Christian Christina
Christopher Claire Clark Craig Crystal Daniel David Dean Diana Donald Dorothy Douglas Edward Elizabeth Emily
Emma Eric Frank Fred Gary George Grace Graham Grant Greg Harry Helen Henry Howard Jack Jacob James Jamie Jane
Jason Jay Jennifer Jeremy Jessica Jim Joan Joe John Jonathan Joseph Joshua Julia Julie Justin Karen Kate
Katherine Keith Kelly Kevin Kim Larry Laura Lauren Lee Leon Lewis Linda Lisa Louis Lucy Luke Margaret Maria
Marie Mark Martin Mary Matthew Melissa Michael Michelle Mike Nancy Neil Nicholas Nick Nicole Oliver Pamela
Patricia Patrick Paul Peter Philip Rachel Ralph Rebecca Richard Robert Roger Ronald Rose Russell Ruth Ryan Sam
Samantha Samuel Sarah Scott Sean Simon Stephanie Stephen Steve Steven Stuart Susan Taylor Thomas Tim Todd Tom
Tony Tyler Victor Victoria Vincent Walter Wayne William`.split(/\s+/);

export const PLACES: readonly string[] = [
  'library',
  'museum',
  'market',
  'station',
  'park',
  'hotel',
  'restaurant',
  'hospital',
];

export const OBJECTS: readonly string[] = [
  'book',
  'letter',
  'ticket',
  'camera',
  'blanket',
  'map',
  'phone',
  'cup',
];

/**
 * Fifteen sentences in the structure of the study: two names, a place or an object, then the first name again
 * as the giver. {1} and {2} are the names as introduced, {S} the giver. BABA puts the giver first, ABBA second.
 */
export const TEMPLATES: readonly string[] = [
  'One morning{1} and{2} met at the {PLACE}, and{S} handed a {OBJECT} to',
  'While{1} and{2} were waiting at the {PLACE},{S} passed a {OBJECT} to',
  'After{1} and{2} had found the {PLACE},{S} showed a {OBJECT} to',
  'Because{1} and{2} were late for the {PLACE},{S} threw a {OBJECT} to',
  'On Monday{1} and{2} walked around the {PLACE}. Later{S} gave a {OBJECT} to',
  'Last year{1} and{2} worked together at the {PLACE}, where{S} sold a {OBJECT} to',
  'It rained when{1} and{2} left the {PLACE}, so{S} lent a {OBJECT} to',
  'For an hour{1} and{2} talked in front of the {PLACE}. Then{S} offered a {OBJECT} to',
  'Yesterday{1} and{2} had lunch near the {PLACE}, and afterwards{S} brought a {OBJECT} to',
  'Nobody else was there when{1} and{2} reached the {PLACE}, and{S} slipped a {OBJECT} to',
  'In the evening{1} and{2} returned to the {PLACE}. There{S} returned a {OBJECT} to',
  'Since{1} and{2} both liked the {PLACE},{S} bought a {OBJECT} there and gave it to',
  'Tired of the {PLACE},{1} and{2} decided to go home, and{S} carried a {OBJECT} to',
  'Everyone saw{1} and{2} at the {PLACE}, just before{S} promised a {OBJECT} to',
  'With little time left,{1} and{2} hurried to the {PLACE}, where{S} left a {OBJECT} for',
];
