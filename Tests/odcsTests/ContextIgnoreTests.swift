import Testing

@testable import odcs

/// `.containerignore` and `.dockerignore`.
@Suite struct ContextIgnoreTests {
    @Test(
        "patterns leave out the paths that docker leaves out",
        arguments: [
            ("*.o", ["a.o"], ["a", "d/a.o", "a.oo"]),
            ("**/*.o", ["a.o", "d/a.o", "d/e/a.o"], ["a"]),
            ("d", ["d", "d/x", "d/e/x"], ["dd", "e/d"]),
            ("/d/\n", ["d", "d/x"], ["e/d"]),
            ("d/**", ["d/x", "d/e/x"], ["d", "dx"]),
            ("**", ["a", "a/b"], []),
            ("*/x", ["a/x", "a/x/y"], ["x", "a/b/x"]),
            ("a?\n[b-d][^0-9]", ["a1", "aé", "bx", "dx"], ["a", "a/", "b1", "ex"]),
            ("# d\n  e  \n\n.\n", ["e"], ["d", "# d"]),
            ("\\#d", ["#d"], ["d"]),
            ("d\n!d/x\nd/x/z", ["d", "d/y", "d/x/z"], ["d/x", "d/x/y"]),
            ("!a", [], ["a"]),
            ("a/../b/./c", ["b/c"], ["a", "b"]),
        ] as [(String, [String], [String])])
    func patterns(text: String, out: [String], stays: [String]) throws {
        let ignore = try ContextIgnore(text, named: ".dockerignore")
        #expect(out.filter { !ignore.leavesOut($0) } == [])
        #expect(stays.filter(ignore.leavesOut) == [])
    }

    @Test("a pattern that has no end is named with its line", arguments: ["[a", "a\\", "[]", "[b-a]"])
    func mistakes(pattern: String) {
        #expect(throws: CommandFailure(.error, "f: line 2: \"\(pattern)\" is not a pattern")) {
            _ = try ContextIgnore("a\n\(pattern)\n", named: "f")
        }
    }
}
