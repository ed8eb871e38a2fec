"""Words of the feed: cards, acts, reasons, wishes, threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FEED: Final[Mapping[str, tuple[str, str]]] = {
    "feed.posts": ("Posts", "Publications"),
    "feed.more": ("More posts", "Plus de publications"),
    "feed.end": ("You are at the end.", "Vous êtes au bout."),
    "feed.end.detail": (
        "That is all that this feed has for you now.",
        "C’est tout ce que ce fil a pour vous en ce moment.",
    ),
    "feed.empty": ("Nothing here yet.", "Rien ici pour l’instant."),
    "feed.empty.following": (
        "Follow someone, from the menu of one of their posts, and what they write comes here, "
        "newest first.",
        "Suivez quelqu’un, depuis le menu d’une de ses publications : "
        "ce qu’il écrit viendra ici, du plus récent au plus ancien.",
    ),
    "feed.fresh": ("Look again", "Regarder à nouveau"),
    "feed.recent": (
        "No trained ranker: the newest posts that are safe to show.",
        "Pas de modèle entraîné : les publications les plus récentes qui peuvent être montrées.",
    ),
    "feed.latest": (
        "This feed is in order of time, the newest first; no model ranks it.",
        "Ce fil est dans l’ordre du temps, le plus récent d’abord ; aucun modèle ne le classe.",
    ),
    "feed.over.one": ("over {count} post", "parmi {count} publication"),
    "feed.over.many": ("over {count} posts", "parmi {count} publications"),
    "feed.unread.one": ("{count} of them not read yet", "dont {count} pas encore lue"),
    "feed.unread.many": ("{count} of them not read yet", "dont {count} pas encore lues"),
    "feed.model": ("Arranged by {model}", "Composé par {model}"),
    "about.title": ("About this feed", "À propos de ce fil"),
    "about.lead": (
        "A model predicts what you would do with each post. What moves a post beside that, wishes, "
        "policies and variety, is named. Each post says why it is here, and anyone can replay "
        "that.",
        "Un modèle prédit ce que vous feriez de chaque publication. Ce qui la déplace en plus, "
        "souhaits, règles et variété, est nommé. Chaque publication dit pourquoi elle est là, et "
        "chacun peut le vérifier.",
    ),
    "about.lead.readers": (
        "A model predicts what readers in general would do with each post; it is told nothing that "
        "you did. What moves a post beside that, wishes, policies and variety, is named. Each post "
        "says why it is here, and anyone can replay that.",
        "Un modèle prédit ce que les lecteurs en général feraient de chaque publication ; rien de "
        "ce que vous avez fait ne lui est dit. Ce qui la déplace en plus, souhaits, règles et "
        "variété, est nommé. Chaque publication dit pourquoi elle est là, et chacun peut le "
        "vérifier.",
    ),
    "about.removed.one": (
        "{count} post withheld from this page by a policy",
        "{count} publication écartée de cette page par une règle",
    ),
    "about.removed.many": (
        "{count} posts withheld from this page by a policy",
        "{count} publications écartées de cette page par une règle",
    ),
    "card.reposted": ("{name} reposted", "{name} a republié"),
    "card.answers": ("Replying to {name}", "En réponse à {name}"),
    "card.answers.unknown": ("Replying to a post", "En réponse à une publication"),
    "card.thread": ("Show the thread", "Voir la conversation"),
    "card.menu": ("More about this post by {name}", "Plus sur cette publication de {name}"),
    "card.source": ("Where it was published", "Là où c’est publié"),
    "card.new_tab": ("opens another site", "ouvre un autre site"),
    "card.warning": ("Behind a warning", "Sous avertissement"),
    "card.show": ("Show anyway", "Afficher quand même"),
    "card.mark": ("Marked", "Signalé"),
    "media.image": ("Image", "Image"),
    "media.video": ("Video", "Vidéo"),
    "media.audio": ("Sound", "Son"),
    "media.no_alt": ("without a description", "sans description"),
    "media.held": ("Not loaded from elsewhere", "Non chargé depuis ailleurs"),
    "do.like": ("Like", "J’aime"),
    "do.like.on": ("Liked; take it back", "Aimé ; annuler"),
    "do.repost": ("Repost", "Republier"),
    "do.repost.on": ("Reposted; take it back", "Republié ; annuler"),
    "do.bookmark": ("Bookmark", "Enregistrer"),
    "do.bookmark.on": ("Bookmarked; take it back", "Enregistré ; annuler"),
    "do.reply": ("Reply", "Répondre"),
    "do.reply.one": ("Reply, {count} reply so far", "Répondre, {count} réponse"),
    "do.reply.many": ("Reply, {count} replies so far", "Répondre, {count} réponses"),
    "do.not_interested": ("Not interested", "Pas intéressé"),
    "do.follow": ("Follow {name}", "Suivre {name}"),
    "do.follow.on": ("Unfollow {name}", "Ne plus suivre {name}"),
    "do.mute": ("Mute {name}", "Masquer {name}"),
    "do.mute.on": ("Unmute {name}", "Ne plus masquer {name}"),
    "do.block": ("Block {name}", "Bloquer {name}"),
    "do.block.on": ("Unblock {name}", "Débloquer {name}"),
    "do.undo": ("Undo", "Annuler"),
    "gone.not_interested": ("Not interested.", "Pas intéressé."),
    "gone.not_interested.why": (
        "It counts from your next page on: posts like this one are expected to please you less.",
        "Cela compte dès votre prochaine page : "
        "les publications de ce genre sont supposées moins vous plaire.",
    ),
    "gone.not_interested.about": (
        "It counts from your next page on, first of all for posts like this one: {names}.",
        "Cela compte dès votre prochaine page, d’abord pour les publications de ce genre : "
        "{names}.",
    ),
    "gone.mute": ("{name} is muted.", "{name} est masqué."),
    "gone.mute.why": (
        "No feed of yours shows their posts, from the next page on.",
        "Aucun de vos fils ne montre plus ses publications, dès la prochaine page.",
    ),
    "gone.block": ("{name} is blocked.", "{name} est bloqué."),
    "gone.block.why": (
        "No feed of yours shows their posts, from the next page on.",
        "Aucun de vos fils ne montre plus ses publications, dès la prochaine page.",
    ),
    "gone.plain": (
        "It is kept, but this feed does not read it while it is not personalised.",
        "C’est retenu, mais ce fil n’en tient pas compte tant qu’il n’est pas personnalisé.",
    ),
    "act.nobody": (
        "To like, hide or steer, let this device be remembered, or sign in.",
        "Pour aimer, écarter ou orienter, laissez cet appareil être reconnu, ou connectez-vous.",
    ),
    "reply.label": ("Your reply to {name}", "Votre réponse à {name}"),
    "reply.send": ("Publish the reply", "Publier la réponse"),
    "reply.account": (
        "A reply needs a name: sign in to publish one.",
        "Une réponse demande un nom : connectez-vous pour en publier une.",
    ),
    "reply.length": (
        "A reply has 1 to {most} characters.",
        "Une réponse a de 1 à {most} caractères.",
    ),
    "thread.title": ("Thread", "Conversation"),
    "thread.title.of": ("{name}: {text}", "{name} : {text}"),
    "thread.avoided": (
        "By an account that you muted or blocked.",
        "D’un compte que vous avez masqué ou bloqué.",
    ),
    "thread.members": (
        "Its author asks that it be shown to signed-in readers only.",
        "Son auteur demande que seuls les lecteurs connectés le voient.",
    ),
    "thread.withheld": ("A post is not shown here.", "Une publication n’est pas montrée ici."),
    "thread.replies": ("Replies", "Réponses"),
    "thread.none": ("No reply yet.", "Pas encore de réponse."),
    "why.ask": ("Why?", "Pourquoi ?"),
    "why.title": ("Why this post?", "Pourquoi cette publication ?"),
    "why.more": ("Every cause, and the proof", "Toutes les causes, et la preuve"),
    "why.place": (
        "Place {rank} of your page, chosen among {count} posts.",
        "Place {rank} de votre page, choisie parmi {count} publications.",
    ),
    "why.causes": ("What brought it here", "Ce qui l’a amenée ici"),
    "why.here": ("place {rank}", "place {rank}"),
    "why.without": ("without it: {then}", "sans cela : {then}"),
    "why.bars": (
        "A bar is as long as the places that the post would lose without that cause.",
        "Une barre est aussi longue que les places que la publication perdrait sans cette cause.",
    ),
    "why.score": ("Its score: {score}", "Son score : {score}"),
    "why.score.detail": (
        "What the model expects you to do, times what that is worth.",
        "Ce que le modèle pense que vous ferez, fois ce que cela vaut.",
    ),
    "why.score.readers": (
        "What the model expects readers in general to do, times what that is worth; it was told "
        "nothing that you did.",
        "Ce que le modèle pense que les lecteurs en général feront, fois ce que cela vaut ; rien "
        "de ce que vous avez fait ne lui a été dit.",
    ),
    "why.score.recent": (
        "No model scored this page; it is arranged by time.",
        "Aucun modèle n’a noté cette page ; elle est rangée par date.",
    ),
    "why.moved.variety": (
        "Variety among the posts moved it by {places} places.",
        "La variété entre les publications l’a déplacée de {places} places.",
    ),
    "why.moved.exploration": (
        "A place kept for fresh posts moved it by {places}.",
        "Une place réservée aux nouvelles publications l’a déplacée de {places}.",
    ),
    "why.moved.other": (
        "“{term}” moved it by {places} places.",
        "« {term} » l’a déplacée de {places} places.",
    ),
    "why.replay": ("Replay this", "Rejouer cela"),
    "why.replay.detail": (
        "Arranges the whole page again from its receipt and tests every number on it.",
        "Compose de nouveau toute la page depuis son reçu et vérifie chacun de ses nombres.",
    ),
    "replay.title": ("Replayed", "Rejoué"),
    "replay.same": (
        "The same posts came out, in the same order, with the same scores.",
        "Les mêmes publications sont ressorties, dans le même ordre, avec les mêmes scores.",
    ),
    "replay.other": (
        "The page came out differently.",
        "La page est ressortie différente.",
    ),
    "replay.claims": (
        "{held} of {claims} claims hold.",
        "{held} affirmations sur {claims} se vérifient.",
    ),
    "why.wish": ("Show me…", "Montrez-moi…"),
    "why.truth": (
        "What this simulated person really likes",
        "Ce que cette personne simulée aime vraiment",
    ),
    "why.truth.detail": (
        "Planted when the town was made; the feed never reads it. Marked: what is true of this "
        "post.",
        "Semé lors de la création de la ville ; le fil ne le lit jamais. "
        "En évidence : ce qui est vrai de cette publication.",
    ),
    "why.truth.likes": ("likes", "aime"),
    "why.truth.dislikes": ("dislikes", "n’aime pas"),
    "why.truth.here": ("true of this post", "vrai de cette publication"),
    "gist.aspect": ("what you do with: {name}", "ce que vous faites de : {name}"),
    "gist.wish": ("your wish", "votre souhait"),
    "gist.author": ("posts of the same author", "des publications du même auteur"),
    "gist.follow": ("you follow its author", "vous suivez son auteur"),
    "gist.fresh": ("it is new", "elle est nouvelle"),
    "gist.exploration": (
        "a place kept for fresh posts",
        "une place réservée aux nouvelles publications",
    ),
    "gist.history": ("all that you did, together", "tout ce que vous avez fait, ensemble"),
    "gist.action": ("what you did", "ce que vous avez fait"),
    "gist.everyone": ("nothing personal", "rien de personnel"),
    "wish.more": ("More", "Plus"),
    "wish.less": ("Less", "Moins"),
    "wish.more.of": ("More of this: {name}", "Plus de ceci : {name}"),
    "wish.less.of": ("Less of this: {name}", "Moins de ceci : {name}"),
    "wish.title": ("What do you wish for?", "Que souhaitez-vous ?"),
    "wish.label": ("Your wish, in your own words", "Votre souhait, avec vos mots"),
    "wish.example": ("less politics until Sunday", "moins de sport ce soir"),
    "wish.help": (
        "Topics, tones, authors and words, in English or French: “more science”, “no angry posts”, "
        "“less football until Sunday”. A wish holds in every feed from the next page on, and each "
        "post says when a wish has brought it.",
        "Sujets, tons, auteurs et mots, en français ou en anglais : « plus de sciences », « pas "
        "de publications en colère », « moins de football jusqu’à dimanche ». Un souhait vaut "
        "dans tous les fils dès la prochaine page, et chaque publication dit quand un souhait l’a "
        "amenée.",
    ),
    "wish.send": ("Wish", "Souhaiter"),
    "wish.none": (
        "No wishes yet. Say what you want more or less of, in English or French.",
        "Pas encore de souhait. Dites ce que vous voulez voir plus ou moins, "
        "en français ou en anglais.",
    ),
    "wish.kept": ("Kept. It holds from the next page on.", "Retenu, dès la prochaine page."),
    "wish.undone": ("Taken back.", "Annulé."),
    "wish.see": ("See it at work", "Voir l’effet"),
    "wish.undo": ("Take back: {name}", "Annuler : {name}"),
    "wish.until": ("until {day}", "jusqu’au {day}"),
    "wish.none_of": ("none of", "aucun"),
    "wish.unclear": (
        "That was not understood; try “more science” or “less sport until Sunday”.",
        "Cela n’a pas été compris ; essayez « plus de sciences » ou "
        "« moins de sport jusqu’à dimanche ».",
    ),
    "wish.length": (
        "A wish has 1 to {most} characters.",
        "Un souhait a de 1 à {most} caractères.",
    ),
    "wish.many": (
        "There are {most} wishes already; take some back first.",
        "Il y a déjà {most} souhaits ; annulez-en d’abord.",
    ),
    "wish.plain": (
        "Not read while this feed is not personalised.",
        "Non lus tant que ce fil n’est pas personnalisé.",
    ),
    "term.dwell": ("time spent", "temps passé"),
    "term.click": ("opening it", "l’ouvrir"),
    "term.like": ("a like", "un « j’aime »"),
    "term.reply": ("a reply", "une réponse"),
    "term.repost": ("a repost", "une republication"),
    "term.quote": ("a quote", "une citation"),
    "term.bookmark": ("a bookmark", "un enregistrement"),
    "term.share": ("sharing it", "un partage"),
    "term.follow": ("following the author", "suivre l’auteur"),
    "term.profile": ("looking at the author", "regarder l’auteur"),
    "term.worth_my_time": ("worth your time", "valoir votre temps"),
    "term.not_interested": ("“not interested”", "« pas intéressé »"),
    "term.mute": ("muting the author", "masquer l’auteur"),
    "term.block": ("blocking the author", "bloquer l’auteur"),
    "term.report": ("a report", "un signalement"),
    "term.wish": ("your wishes", "vos souhaits"),
    "term.demote": ("a policy", "une règle"),
    "term.fresh": ("how new it is", "sa nouveauté"),
    "term.rest": ("all else", "tout le reste"),
    "aspect.politics": ("politics", "politique"),
    "aspect.health": ("health", "santé"),
    "aspect.religion": ("religion", "religion"),
    "aspect.sexuality": ("sexuality", "sexualité"),
    "aspect.identity": ("identity", "identité"),
    "aspect.inform": ("informing", "informer"),
    "aspect.ask": ("questions", "questions"),
    "aspect.argue": ("opinions", "opinions"),
    "aspect.tell": ("things lived", "choses vécues"),
    "aspect.advise": ("advice", "conseils"),
    "aspect.promote": ("announcements", "annonces"),
    "aspect.mobilise": ("calls to act", "appels à agir"),
    "aspect.chat": ("small talk", "bavardage"),
    "aspect.spam": ("spam", "spam"),
    "aspect.harassment": ("harassment", "harcèlement"),
    "aspect.self-harm": ("self-harm", "automutilation"),
    "aspect.adult": ("adult themes", "thèmes pour adultes"),
    "aspect.en": ("English", "anglais"),
    "aspect.fr": ("French", "français"),
}
