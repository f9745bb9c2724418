// SPDX-License-Identifier: Apache-2.0

/// The words of generated names: fair weather, and people who measured, charted or healed something.
enum NameWords {
    // swift-format-ignore
    static let adjectives = [
        "able", "airy", "alert", "amber", "ample", "apt", "arctic", "autumn", "avid", "azure", "balmy",
        "bold", "brave", "breezy", "brief", "bright", "brisk", "bronze", "calm", "candid", "careful",
        "cheerful", "chilly", "civil", "clear", "clever", "coastal", "cool", "copper", "coral", "cosmic",
        "cosy", "crisp", "curious", "daring", "deft", "distant", "dusky", "eager", "early", "earnest",
        "easy", "elegant", "even", "faint", "fair", "famous", "fearless", "fine", "firm", "fleet", "fluent",
        "foamy", "fond", "frank", "free", "fresh", "frosty", "gentle", "giant", "gifted", "glad",
        "gleaming", "golden", "graceful", "grand", "grassy", "great", "hale", "handy", "happy", "hardy",
        "hazy", "hearty", "honest", "humble", "icy", "ideal", "inland", "jade", "jolly", "jovial", "keen",
        "kind", "lasting", "leafy", "light", "limber", "lively", "local", "lofty", "loyal", "lucid",
        "lucky", "lunar", "major", "mellow", "merry", "mighty", "mild", "misty", "modest", "mossy",
        "native", "neat", "nimble", "noble", "northern", "oaken", "open", "orderly", "patient", "pearly",
        "placid", "plain", "polar", "polite", "proud", "prudent", "quick", "quiet", "rapid", "ready",
        "regal", "robust", "rosy", "rugged", "rustic", "sandy", "serene", "sharp", "shiny", "silent",
        "silver", "simple", "sleek", "smooth", "snowy", "sober", "solar", "solid", "sonic", "southern",
        "spare", "spry", "stable", "starry", "steady", "still", "stoic", "stormy", "sturdy", "subtle",
        "sunny", "supple", "swift", "tidal", "tidy", "timely", "tranquil", "true", "trusty", "upbeat",
        "urban", "valiant", "vast", "verdant", "vital", "vivid", "warm", "wary", "western", "wild", "windy",
        "wise", "witty", "worthy", "young", "zesty",
    ]

    // swift-format-ignore
    static let surnames = [
        "abel", "adams", "agnesi", "albers", "alder", "amundsen", "andrews", "apgar", "audubon", "bache",
        "baird", "banks", "barton", "bassi", "bates", "becquerel", "beebe", "bell", "bering", "berzelius",
        "bessel", "birdseye", "blodgett", "bowditch", "boyd", "brahe", "brandt", "bunsen", "burnell",
        "byrd", "cannon", "carroll", "carson", "cassini", "cavendish", "celsius", "chatelet", "clapp",
        "clarke", "cook", "cori", "cousteau", "crick", "dampier", "daubeny", "davis", "dayhoff", "delambre",
        "delisle", "doppler", "drake", "earle", "eckert", "elion", "erskine", "euclid", "everest", "faber",
        "fabre", "faraday", "finsen", "fisher", "fitzroy", "flamsteed", "fleming", "forbes", "foucault",
        "franz", "fraser", "fresnel", "galle", "galton", "gauss", "gibbs", "gilbert", "goeppert", "gould",
        "gray", "green", "hadley", "hales", "halley", "harvey", "heezen", "helm", "henson", "herschel",
        "hess", "hevelius", "hooke", "hooker", "humboldt", "hutton", "huygens", "innes", "ives", "jansky",
        "jenner", "jones", "joule", "kelvin", "kepler", "kirch", "kuiper", "lalande", "lamarr", "laplace",
        "leach", "leavitt", "lemaitre", "linne", "lister", "lonsdale", "lovell", "lowell", "lyell",
        "mackay", "magellan", "malpighi", "markham", "maury", "maxwell", "mayer", "mcclintock", "mendel",
        "mercator", "messier", "mitchell", "moore", "morley", "muir", "murray", "nansen", "napier", "nares",
        "newcomb", "noddack", "noether", "oersted", "ohm", "ortelius", "ostrom", "owen", "park", "parry",
        "pascal", "pasteur", "payne", "peary", "penfield", "penzias", "perey", "piazzi", "picard", "pliny",
        "porter", "quimby", "ray", "reber", "redi", "rheticus", "ricci", "roemer", "rontgen", "ross",
        "rowland", "rubin", "sabin", "sabine", "sanger", "scheele", "schmidt", "scoresby", "seaborg",
        "seacole", "shackleton", "shapley", "sherman", "sibley", "siemens", "slipher", "snow", "solander",
        "somerville", "steller", "stokes", "stone", "strabo", "swan", "tharp", "thaxter", "thomson",
        "tombaugh", "townsend", "tsiolkovsky", "tyndall", "ulloa", "vesalius", "volta", "waldseemuller",
        "wallace", "watt", "weddell", "wegener", "wells", "wilkes", "wilson", "wollaston", "worm", "wren",
        "wright", "young", "zwicky",
    ]
}
