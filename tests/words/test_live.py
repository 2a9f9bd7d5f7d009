from kdaudit.live import listening, say


def test_only_who_listens_hears_and_only_then_words_are_made():
    heard, made = [], []

    def words():
        made.append(1)
        return "half done"

    say(words)
    with listening(heard.append):
        say(words)
        with listening(lambda text: heard.append(text.upper())):
            say(words)
        say(words)
    say(words)
    assert heard == ["half done", "HALF DONE", "half done"]
    assert len(made) == 3
