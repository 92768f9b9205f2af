import ComposeModel
import Foundation
import Koji
import NIOHTTP1
import ScriptedHub
import SystemPackage
import Testing

/// Composes whose sources have changed, but not in what was asked of them.
@Suite(.timeLimit(.minutes(5))) struct UnchangedPackagesTests {
    @Test("of a tag that changed, a compose of what stayed the same shows the earlier one, and one of what did not is made anew")
    func tag() async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            try await TestService.running(more: "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\"}") { service, server in
                func tag(_ package: String, _ more: String = "", top: String = "") async throws -> FinishedCompose {
                    try await server.compose(
                        json: "{\"source\": {\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"\(package)\"]\(more)}\(top)}",
                        service)
                }
                let ed = try await tag("ed")
                let libfoo = try await tag("libfoo")
                #expect(try libfoo.packages() == ["libfoo-1.0-1.fc26.x86_64"], "\(libfoo.reason)")
                history.advance()

                let same = try await tag("ed")
                #expect(
                    same.reason.first
                        == "Done: it shows compose \(ed.document.id): the tag f26-updates was listed as of the event \(TagHistory.after), and the packages are the same."
                )
                #expect(same.document.resultRepo == ed.document.resultRepo)
                // What it is made from is its own affair.
                #expect(ed.document.kojiEvent == TagHistory.before)
                #expect(same.document.kojiEvent == TagHistory.after)
                #expect(try service.traces(of: same.document.id) == [])
                #expect(try await server.http(.GET, same.document.resultRepofile).status == 200)

                let changed = try await tag("libfoo")
                #expect(changed.document.resultRepo != libfoo.document.resultRepo)
                #expect(try changed.packages() == ["libfoo-1.1-1.fc26.x86_64"])

                let anew = try await tag("ed", top: ", \"flags\": [\"no_reuse\"]")
                #expect(try anew.packages() == ed.packages())
                let flagged = try await tag("ed", top: ", \"flags\": [\"no_deps\"]")
                #expect(flagged.document.resultRepo.contains("odcs-\(flagged.document.id)/"), "another request is another compose")
                let earlier = try await tag("ed", ", \"koji_event\": 90")
                #expect(earlier.document.resultRepo == anew.document.resultRepo)
                #expect(
                    earlier.reason.first
                        == "Done: it shows compose \(anew.document.id): the tag f26-updates was listed as of the event 90, and the packages are the same."
                )
            }
        }
    }

    @Test("a tag that changed a moment ago is listed anew, since Koji numbers changes in another order than it shows them")
    func unsettled() async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            try await TestService.running(more: "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\"}") { service, server in
                func ed() async throws -> FinishedCompose {
                    try await server.compose(
                        json: "{\"source\": {\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"]}}", service)
                }
                func listings() -> Int { hub.calls.count { $0.method == "listTaggedRPMS" } }
                history.pass(settled: TagHistory.before - 10)
                let first = try await ed()
                #expect(first.document.kojiEvent == TagHistory.before + 1)
                #expect(listings() == 1)

                history.pass(settled: TagHistory.before - 10)
                let second = try await ed()
                #expect(second.document.kojiEvent == TagHistory.before + 2)
                #expect(listings() == 2)
                #expect(second.document.resultRepo == first.document.resultRepo)

                // Also when nothing else has happened in Koji, so that it is the same event.
                let again = try await ed()
                #expect(again.document.kojiEvent == second.document.kojiEvent)
                #expect(listings() == 3)
                #expect(again.document.resultRepo == first.document.resultRepo)

                // Once nothing can come to light any more, it is the same event, and nobody has to list it.
                history.pass(settled: TagHistory.before)
                hub.answer(XMLRPCCall("tagChangedSinceEvent", .int(TagHistory.before), [2, 1]), with: .value(false))
                let third = try await ed()
                #expect(listings() == 4)
                history.pass(settled: TagHistory.before)
                hub.answer(XMLRPCCall("tagChangedSinceEvent", .int(TagHistory.before), [2, 1]), with: .value(false))
                let fourth = try await ed()
                #expect(fourth.document.kojiEvent == third.document.kojiEvent)
                #expect(listings() == 4)
                #expect(fourth.document.resultRepo == first.document.resultRepo)
            }
        }
    }

    @Test("of a repository to which something else came, a compose shows the earlier one, with what is missing told again")
    func repository() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            func compose(_ package: String) async throws -> FinishedCompose {
                FinishedCompose(
                    document: try await shared.server.compose("repo", repository.location, package), in: shared.service.composes)
            }
            let ed = try await compose("ed")
            let dictionary = try await compose("ed-dictionary")
            try await repository.index(excluding: "*-2.0-1*")

            let same = try await compose("ed")
            #expect(
                same.reason == [
                    "Done: it shows compose \(ed.document.id): the repository \(repository.location) changed, but the packages are the same.",
                    "Nothing provides /bin/sh, which ed-1.20-3.x86_64 requires.",
                ])
            #expect(same.document.resultRepo == ed.document.resultRepo)
            #expect(try shared.service.traces(of: same.document.id) == [])

            let changed = try await compose("ed-dictionary")
            #expect(changed.document.resultRepo != dictionary.document.resultRepo)
            #expect(try dictionary.packages() == ["ed-dictionary-2.0-1.noarch"])
            #expect(try changed.packages() == ["ed-dictionary-20190101-1.noarch"])
        }
    }
}
