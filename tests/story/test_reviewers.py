"""Agents and people as reviewers, on real engines."""

from tests.support.story import Story

SAY = 'echo "{\\"decision\\": \\"$1\\", \\"reasons\\": [\\"$2\\"]}"'


def bot(script: str) -> dict[str, object]:
    """A reviewer without a model: it has `say DECISION REASON`, which prints a verdict."""
    return {"security-bot": {"use": "script", "run": f"set +x; say() {{ {SAY}; }}\n{script}"}}


def test_checks_then_an_agent_then_a_person(story: Story) -> None:
    script = """
test "$STEROIDS_ROLE $STEROIDS_SECTION" = 'reviewer A'
test "$(git log -1 --format=%s)" = 'Signs in'
grep -q 'Signs in' "$STEROIDS_PROMPT"
if grep -q hunter2 apps/a/login.txt; then
  cat > "$STEROIDS_VERDICT" <<'V'
{"decision": "reject", "reasons": ["No secrets in files,\\n  \\"never\\".", "Say why."],
 "files": ["apps/a/login.txt"]}
V
  exit
fi
echo overwritten > apps/a/login.txt; git -c user.name=x -c user.email=x@x commit -qam Mine
say approve 'No secret left'"""
    reviewers = ["checks", "security-bot", "human"]
    story.configure(agents=bot(script), review={"reviewers": reviewers})
    story.add_section("A", "test -e apps/a/login.txt")
    task = story.add_task(
        "A",
        "Signs in",
        """if [ "$STEROIDS_ATTEMPT" = 1 ]; then echo hunter2 > apps/a/login.txt; exit; fi
grep -qx -- '- No secrets in files,' "$STEROIDS_FEEDBACK"
grep -qx -- '  "never".' "$STEROIDS_FEEDBACK"
grep -qx -- '- Say why.' "$STEROIDS_FEEDBACK"
echo better > apps/a/login.txt""",
    )
    short = task[:8]
    up = story.run("up")
    assert "'Signs in' rejected by security-bot: - No secrets in files," in up.out
    assert "approved by security-bot: No secret left" in up.out
    waits = f"waits for your review: steroids tasks diff {short}, then steroids tasks approve|"
    assert waits in up.out and f"  steroids tasks approve {short}" in up.err
    shown = story.task(task)
    assert (shown["status"], shown["awaits"], shown["rejectionCount"]) == ("review", "human", 1)
    assert story.containers() == [] and story.origin.tasks() == []
    again = story.run("up")
    assert "nothing to do" in again.err and f"steroids tasks diff {short}" in again.err
    refused = story.run("tasks", "approve", short, "--attempt", "1", exits=6)
    assert "attempt 2" in refused.err

    assert "approved" in story.run("tasks", "approve", short, "--reason", "Nice").out
    story.wait_for_status(task, "completed")
    assert story.origin.show("apps/a/login.txt") == "better"
    assert story.origin.tasks() == [task] * 2
    late = story.run("tasks", "reject", task, "--reason", "Too late", exits=6)
    assert "completed" in late.err and f"steroids tasks revert {short}" in late.err


def test_what_is_no_verdict_is_asked_for_once_more_and_judges_nobody(story: Story) -> None:
    asked = "echo asked; if ! grep -q 'Once more' \"$STEROIDS_PROMPT\"; then"
    script = f"""cat > /tmp/prompt
case $STEROIDS_TITLE in
Mumbles) {asked} echo 'LGTM {{"decision": "approve"}}'; exit; fi; echo '{{"decision": "approve"}}';;
Silent) echo asked;;
Crashes) echo asked; echo '{{"decision": "approve"}}' > "$STEROIDS_VERDICT"; exit 3;;
esac"""
    story.configure(
        agents={"guard": {"use": "command", "argv": ["sh", "-c", script]}},
        review={"reviewer": "guard"},
        max_attempts_lost=1,
    )
    story.add_section("A")
    tasks = [
        story.add_task("A", title, f"echo x > apps/a/{title}.txt")
        for title in ("Mumbles", "Silent", "Crashes")
    ]
    up = story.run("up", exits=1)
    shown = [story.task(task) for task in tasks]
    assert [each["status"] for each in shown] == ["completed", "failed", "failed"]
    counts = [(each["rejectionCount"], each["infrastructureFailures"]) for each in shown]
    assert counts == [(0, 0), (0, 1), (0, 1)]
    assert "guard gave no verdict: there is no verdict: no file" in shown[1]["reason"]
    assert "guard gave no verdict: the command 'sh' exited 3" in shown[2]["reason"]
    lines = [event for event in story.events("log") if event["text"] == "asked"]
    assert [event["task"] for event in lines] == ["Mumbles"] * 2 + ["Silent"] * 2 + ["Crashes"] * 2
    assert "review broke" in up.out and story.origin.tasks() == [tasks[0]]
    # The work is there, and a person may take it.
    story.run("tasks", "approve", tasks[1])
    story.wait_for_status(tasks[1], "completed")


def test_any_program_codes_and_one_that_is_not_there_is_named(story: Story) -> None:
    coder = 'grep -m1 Guarded > apps/a/said.txt; cmp "$STEROIDS_PROMPT" - < "$STEROIDS_PROMPT"'
    story.configure(
        agents={
            "guard": {"use": "command", "argv": ["no-such-guard"]},
            "coder": {"use": "command", "argv": ["sh", "-c", coder]},
        },
        review={"reviewer": "guard"},
        max_attempts_lost=1,
    )
    story.add_section("A")
    task = story.add_task("A", "Guarded", "exit 1   # for another agent")
    story.run("up", exits=1)
    assert "Guarded" in story.run("tasks", "diff", task).out
    shown = story.task(task)
    assert shown["status"] == "failed"
    assert "guard cannot review: there is no program 'no-such-guard'" in shown["reason"]


def test_a_dispute_ends_as_a_person_says(story: Story) -> None:
    script = """if [ "$STEROIDS_ATTEMPT" = 2 ]; then say approve now; exit; fi
say dispute 'It cannot be done'"""
    story.configure(agents=bot(script), review={"reviewers": ["security-bot"]})
    story.add_section("A")
    for title in ("One", "Two", "Three"):
        story.add_task("A", title, f"echo $STEROIDS_ATTEMPT > apps/a/{title}.txt")
    up = story.run("up", exits=1)
    assert "'One' disputed: It cannot be done" in up.out
    assert "hint: steroids tasks dispute resolve" in up.err
    listed = story.run("tasks", "dispute", "list").out
    assert listed.count("It cannot be done") == 3

    resolve = ("tasks", "dispute", "resolve")
    assert "exactly one" in story.run(*resolve, "One", exits=2).err
    assert "exactly one" in story.run(*resolve, "One", "--skip", "--retry", exits=2).err
    assert "approved" in story.run(*resolve, "One", "--approve").out
    assert "pending" in story.run(*resolve, "Two", "--retry", "--reason", "It can").out
    assert "skipped" in story.run(*resolve, "Three", "--skip").out
    assert "not disputed" in story.run(*resolve, "Three", "--approve", exits=6).err
    story.run("up")
    story.wait_for_status("One", "completed")
    assert [story.task(each)["status"] for each in ("Two", "Three")] == ["completed", "skipped"]
    assert story.origin.show("apps/a/One.txt") == "1"
    assert story.origin.show("apps/a/Two.txt") == "2"
    assert "Nothing is disputed" in story.run("tasks", "dispute", "list").err.capitalize()


def test_a_person_decides_while_an_agent_is_still_at_it(story: Story) -> None:
    script = "echo 'at work'; sleep 600; say reject 'Too late'"
    story.configure(agents=bot(script), review={"reviewers": ["security-bot"]})
    story.add_section("A")
    task = story.add_task("A", "Waits for nobody", "echo x > apps/a/x.txt")
    up = story.start("up")
    story.wait_for_line("at work")
    assert story.containers("review")
    assert "approved" in story.run("tasks", "approve", task).out
    shown = story.finish(up).out
    assert "'Waits for nobody' approved by Uma User, whatever others say" in shown
    assert story.task(task)["status"] == "completed"
    story.wait("the reviewer's end", lambda: not story.containers("review"))
    assert story.task(task)["infrastructureFailures"] == 0


def test_after_a_crash_only_who_has_not_answered_is_asked(story: Story) -> None:
    script = "echo 'at work'; sleep 4; say approve 'All is well'"
    reviewers = ["checks", "security-bot"]
    story.configure(agents=bot(script), review={"reviewers": reviewers})
    story.add_section("A", "true")
    task = story.add_task("A", "Reviewed", "echo x > apps/a/x.txt")
    up = story.start("up")
    story.wait_for_line("at work")
    story.kill_controller()
    story.finish(up)
    assert story.task(task)["status"] == "completed"
    assert len(story.events("checked")) == 1
    assert [event["text"] for event in story.events("log")].count("at work") == 2
