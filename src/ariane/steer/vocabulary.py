"""The words for what wishes are about, in English and French: one entry an aspect or a language.

Only words that plainly mean the whole of an aspect stand here: football is not all of sport, so
that it stays a word. Alternatives are parted by "|", without plurals in -s or -x, accents or
capitals, which do not count when words are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, tuple[str, str]]

TOPICS: Final[Words] = {
    "politics": ("politics|political|politic", "politique|actualite politique"),
    "justice": ("justice|police|policing|law and order|justice and police", "justice|police"),
    "economy": (
        "economy|economic|economics|money|finance|financial|economy and money",
        "economie|economique|argent|finance|financier|financiere",
    ),
    "work": ("work|working life|workplace|career|job", "travail|boulot|emploi|monde du travail"),
    "city": (
        "city|cities|housing|urbanism|urban planning|city life|urban",
        "ville|logement|urbanisme|urbain|urbaine|vie urbaine",
    ),
    "transport": (
        "transport|transportation|public transport|transit|traffic",
        "transport|transport en commun|circulation|mobilite",
    ),
    "climate": (
        "climate|climate change|environment|environmental|ecology|ecological|global warming",
        "climat|climatique|environnement|ecologie|ecologique|changement climatique"
        "|rechauffement climatique|rechauffement",
    ),
    "science": ("science|scientific", "science|scientifique"),
    "technology": ("technology|technologies|tech|technological", "technologie|technologique|tech"),
    "health": ("health|medicine|medical|wellness", "sante|medecine|medical|medicale"),
    "education": (
        "education|school|teaching|educational",
        "education|ecole|enseignement|educatif|educative",
    ),
    "family": (
        "family|families|relationship|family life|family and relationships",
        "famille|vie de famille|familial|familiale|relation|vie de couple",
    ),
    "food": ("food|cooking|cuisine|culinary", "cuisine|nourriture|culinaire|gastronomie"),
    "garden": ("garden|gardening", "jardin|jardinage|jardiner"),
    "making": (
        "craft|crafts|diy|handicraft|making|crafting|do-it-yourself",
        "bricolage|artisanat|artisanal|artisanale|loisirs creatif|travaux manuels|bricoler",
    ),
    "animals": ("animal|pet|wildlife", "animal|animaux|bete"),
    "travel": (
        "travel|travelling|traveling|trip|outdoors|hiking|travels",
        "voyage|randonnee|rando|plein air|voyager|tourisme",
    ),
    "sport": ("sport|sporting|sporty", "sport|sportif|sportive"),
    "games": (
        "game|gaming|video game|videogame|board game",
        "jeu|jeux|jeu video|jeux video|jeu de societe|jeux de societe|jeux-video",
    ),
    "music": ("music|musical", "musique|musical|musicale|zik"),
    "screen": (
        "film|movie|series|tv series|tv show|cinema|film and series|tv|television",
        "film|serie|cinema|film et serie|tele|television|cine",
    ),
    "books": ("book|literature|literary|reading", "livre|litterature|litteraire|lecture|bouquin"),
    "art": (
        "art|arts|artistic|theatre|theater|culture|cultural|stage",
        "art|artistique|theatre|culture|culturel|culturelle|spectacle",
    ),
    "history": ("history|historical", "histoire|historique"),
}

TONES: Final[Words] = {
    "neutral": (
        "neutral|matter-of-fact|matter of fact|factual|calm|sober",
        "neutre|factuel|factuelle|sobre|calme|pose",
    ),
    "warm": (
        "warm|kind|kindness|gentle|tender|uplifting|heartwarming|wholesome|warmth|friendly|nice",
        "chaleureux|chaleureuse|bienveillant|bienveillante|bienveillance|gentil|gentille|tendre"
        "|gentillesse|tendresse|douceur|doux",
    ),
    "enthusiastic": (
        "enthusiastic|enthusiasm|excited|joyful|joy|cheerful|happy|positive",
        "enthousiaste|enthousiasme|joyeux|joyeuse|joie|positif|positive|heureux|heureuse",
    ),
    "funny": (
        "funny|joke|humor|humour|humorous|comedy|fun|hilarious|comic|laugh",
        "drole|blague|humour|humoristique|rigolo|rigolote|marrant|marrante|comique|amusant"
        "|amusante|comedie|rire|vanne",
    ),
    "ironic": (
        "ironic|irony|sarcasm|sarcastic|snark|snarky|satire|satirical|mocking|mockery",
        "ironique|ironie|sarcasme|sarcastique|satire|satirique|moqueur|moqueuse|moquerie",
    ),
    "angry": (
        "angry|anger|rage|outrage|outraged|furious|rant|angriness|hateful|hate speech",
        "en colere|colere|rage|furieux|furieuse|enerve|enervee|coup de gueule|coups de gueule"
        "|indignation|indigne|rageux|haineux|haineuse",
    ),
    "sad": (
        "sad|sadness|depressing|gloomy|melancholy|melancholic|sorrow",
        "triste|tristesse|deprimant|deprimante|melancolie|melancolique|deprime|morose",
    ),
    "worried": (
        "worried|worry|anxious|anxiety-inducing|alarming|alarmist|doom|fear|fearful"
        "|doom and gloom|doomerism|worrying",
        "inquiet|inquiete|inquietude|inquietant|inquietante|anxiogene|alarmiste|alarmant|peur",
    ),
}

INTENTS: Final[Words] = {
    "inform": (
        "informative|information|fact|informational",
        "informatif|informative|information|fait",
    ),
    "ask": ("question|asking", "question|interrogation"),
    "argue": (
        "opinion|hot take|take|debate|argument|arguing|polemic|controversy|controversial",
        "opinion|avis|debat|polemique|argument|argumentation|controverse|prise de position"
        "|prises de position",
    ),
    "tell": (
        "personal story|personal stories|anecdote|testimony|testimonies|lived experience"
        "|personal experience|testimonial",
        "temoignage|anecdote|vecu|recit personnel|recits personnel|histoire vecue"
        "|experience vecue|tranche de vie|tranches de vie",
    ),
    "advise": (
        "advice|tip|recommendation|life hack|suggestion",
        "conseil|astuce|recommandation|bon plan|suggestion",
    ),
    "promote": (
        "ad|advert|advertising|advertisement|promotion|promo|self-promotion|announcement"
        "|promotional|marketing|offer|sponsored|self promotion",
        "pub|publicite|publicitaire|promotion|promo|autopromotion|auto-promotion|annonce"
        "|marketing|offre|sponsorise|reclame",
    ),
    "mobilise": (
        "call to action|calls to action|petition|mobilisation|mobilization|activism|activist"
        "|campaigning|militant",
        "petition|mobilisation|appel a agir|appels a agir|appel a l action|appels a l action"
        "|militantisme|militant|militante|appel a la mobilisation",
    ),
    "chat": (
        "chat|small talk|chit-chat|chitchat|chatter|banter|chatting|casual conversation",
        "bavardage|papotage|discussion legere|blabla|bavarder|papoter|causerie",
    ),
}

FORMATS: Final[Words] = {
    "note": (
        "note|short note|short post|short message",
        "note|publication courte|publications courte|billet court|billets court"
        "|message court|messages court|post court|posts court|texte court|textes court",
    ),
    "story": ("story|stories|storytelling|tale|narrative", "recit|histoires|narration|conte"),
    "list": ("list|listicle|ranking", "liste|classement"),
    "guide": (
        "guide|how-to|how to|tutorial|how-to guide|walkthrough|how-tos",
        "mode d emploi|modes d emploi|guide|tutoriel|tuto|tutoriaux|pas a pas",
    ),
    "review": ("review|critique", "critique|compte rendu|comptes rendu|chronique"),
    "news": (
        "news|news report|headline|breaking news|current affairs|news story|news stories",
        "actualite|actu|nouvelle|info|informations|depeche|breve",
    ),
    "quote": ("quote|quotation|citation", "citation"),
    "event": ("event|happening", "evenement"),
}

LANGUAGES: Final[Words] = {
    "fr": ("french", "francais|francaise|francophone"),
    "en": ("english", "anglais|anglaise|anglophone"),
    "es": ("spanish", "espagnol|espagnole|hispanophone"),
    "de": ("german", "allemand|allemande|germanophone"),
    "it": ("italian", "italien|italienne"),
    "pt": ("portuguese", "portugais|portugaise|lusophone"),
    "nl": ("dutch", "neerlandais|neerlandaise"),
    "ar": ("arabic", "arabe"),
    "ca": ("catalan", "catalan|catalane"),
    "pl": ("polish", "polonais|polonaise"),
    "ru": ("russian", "russe"),
    "uk": ("ukrainian", "ukrainien|ukrainienne"),
    "tr": ("turkish", "turc|turque"),
    "el": ("greek", "grec|grecque"),
    "sv": ("swedish", "suedois|suedoise"),
    "ja": ("japanese", "japonais|japonaise"),
    "zh": ("chinese", "chinois|chinoise"),
    "ko": ("korean", "coreen|coreenne"),
    "hi": ("hindi", "hindi"),
    "br": ("breton", "breton|bretonne"),
    "oc": ("occitan", "occitan|occitane"),
    "eu": ("basque", "basque"),
}

ABOUT: Final[Mapping[str, Words]] = {
    "topic": TOPICS,
    "tone": TONES,
    "intent": INTENTS,
    "format": FORMATS,
    "language": LANGUAGES,
}
"""Kinds of target → their names → the words for them (English, French)."""
