import ComposeClient
import Foundation
import ImageModel
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs rule, watch-tag --rebuild")
struct RuleTests {
    private static func rule(watch: Int? = 3, builds: [Int] = []) -> RuleDocument {
        RuleDocument(
            Rule(
                id: 1, owner: "me", watch: watch, images: ["team/*"], timeAdded: Date(timeIntervalSince1970: 1_795_255_445),
                timeLooked: Date(timeIntervalSince1970: 1_795_255_445), builds: builds))
    }

    @Test("add sends the watch or the base with the images, and prints the rule")
    func add() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(Self.rule()))
            let run = try await CommandRun.odcs(["rule", "add", "--watch-id", "3", "--images", "team/*"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(
                run.out == """
                    ID  IMAGES  FOLLOW   OWNER  BUILDS  LOOKED (UTC)         NOTE
                    1   team/*  watch 3  me     -       2026-11-21 10:04:05

                    """)
            #expect(service.lines == ["POST /api/1/rules"])
            let sent = try JSONDecoder().decode(RuleSubmission.self, from: try #require(service.calls.first).body)
            #expect(sent == RuleSubmission(watch: 3, images: ["team/*"]))
            service.next(try .json(Self.rule(watch: nil, builds: [9, 7])))
            let base = try await CommandRun.odcs(["rule", "add", "--base", "--images", "team/*"], server: service.address)
            #expect(base.out.contains("their base  me     9 7"))
            for arguments in [["--images", "a"], ["--watch-id", "3", "--base", "--images", "a"], ["--watch-id", "3"]] {
                #expect(try await CommandRun.odcs(["rule", "add"] + arguments, server: service.address).status == .usage)
            }
        }
    }

    @Test("a watch whose rule is refused is named, because it goes on")
    func refusedRule() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["watch-tag", "f26", "--rebuild", "team/*"], server: service.address)
            #expect(run.status == .error)
            #expect(run.err.hasPrefix("Watch 1 is there, but no image follows it.\nodcs: "), "\(run.err)")
            #expect(service.lines.prefix(2) == ["POST /api/1/watches/", "POST /api/1/rules"])
        }
    }

    @Test("remove ends a rule")
    func remove() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(Self.rule()))
            let run = try await CommandRun.odcs(["rule", "remove", "1"], server: service.address)
            #expect(run.out == "Rule 1 is removed.\n")
            #expect(service.lines == ["DELETE /api/1/rules/1"])
        }
    }
}
