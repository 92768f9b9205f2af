import ComposeModel
import ComposeStore
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// Composes that are made again from a lock file.
@Suite(.timeLimit(.minutes(5))) struct LockedComposeTests {
    /// The checksums of all repomd.xml of a compose, by their paths.
    private static func repomds(_ compose: FinishedCompose) throws -> [String: Data] {
        let paths = try compose.files().filter { $0.hasSuffix("/repodata/repomd.xml") }
        return Dictionary(uniqueKeysWithValues: try paths.map { ($0, try compose.data($0)) })
    }

    private static func lock(_ compose: FinishedCompose) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: compose.data("compose.lock.json")) as? [String: Any])
    }

    private static func body(_ lock: Any, members: [String: Any] = [:]) throws -> String {
        let body = members.merging(["source": ["lock": lock]]) { $1 }
        return String(decoding: try JSONSerialization.data(withJSONObject: body, options: .sortedKeys), as: UTF8.self)
    }

    @Test("a compose made again on another server, which has a database of its own, has the same repomd.xml for each tree")
    func otherServer() async throws {
        try await SharedService.with(more: "") { shared in
            let lookaside = Checkout.testsRepo.appending("lookaside").string
            let first = try await shared.server.compose(
                json: """
                    {"source": {"type": "repo", "source": "\(Checkout.testsRepo)", "packages": ["ed", "ed-suite", "libed-devel"]},
                     "arches": ["x86_64", "aarch64"], "lookaside_repos": ["\(lookaside)"],
                     "multilib_arches": ["x86_64"], "multilib_method": ["devel"]}
                    """, shared.service)
            #expect(first.state == "done", "\(first.reason)")
            let repomds = try Self.repomds(first)
            #expect(repomds.count == 5)
            let file = shared.sources.appending("compose.lock.json")
            try first.data("compose.lock.json").write(to: URL(filePath: file.string))
            try await SharedService.with(more: "") { other in
                // A compose before it, so that the numbers differ.
                _ = try await other.server.compose("repo", Checkout.testsRepo.string, "ed-doc")
                let shown = try await other.server.odcs("submit", "--lock", file.string, "--ttl", "2h", "--json")
                #expect(shown.isSuccess, "\(shown)")
                let document = try JSONDecoder().decode(ComposeDocument.self, from: Data(shown.output.utf8))
                let again = FinishedCompose(document: document, in: other.service.composes)
                #expect(again.state == "done" && again.document.id != first.document.id, "\(again.reason)")
                #expect(try Self.repomds(again) == repomds)
                #expect(try again.lock.packages.map(\.nevra) == first.lock.packages.map(\.nevra))
                #expect(document.arches == first.document.arches && document.packages == first.document.packages)

                // Once more on the same server: the result is shown again, also for the lock file of that compose.
                let once = try await other.server.compose(json: try Self.body(try Self.lock(again)), other.service)
                let number = try await other.server.compose(json: try Self.body(again.document.id), other.service)
                for compose in [once, number] {
                    #expect(compose.reason.joined().contains("compose \(again.document.id)"), "\(compose.reason)")
                }
                let anew = try await other.server.compose(
                    json: try Self.body(again.document.id, members: ["flags": ["no_reuse"], "label": "RC-1.0"]), other.service)
                #expect(anew.state == "done" && anew.document.label == "RC-1.0", "\(anew.reason)")
                #expect(try Self.repomds(anew) == repomds)

                // A renewal keeps the lock, and finds the same packages.
                _ = try await other.server.http(.DELETE, "/api/1/composes/\(anew.document.id)")
                _ = try await other.service.await(anew.document.id, .removed)
                let renewed = try await other.server.odcs("renew", "\(anew.document.id)", "--json")
                #expect(renewed.isSuccess, "\(renewed)")
                let id = try JSONDecoder().decode(ComposeDocument.self, from: Data(renewed.output.utf8)).id
                let compose = try await other.service.await(id, .done, .failed)
                #expect(compose.state == .done && compose.request.lock != nil, "\(compose.stateReason ?? "")")
            }
        }
    }

    @Test("a tag of Koji is made again at its event, although the tag has changed since, and modules of a repository are made again")
    func otherSources() async throws {
        try await KojiService.with { koji in
            let first = try await koji.compose(#""type": "tag", "source": "f26-updates", "packages": ["ed"], "sigkeys": ["0B3E5524"]"#)
            #expect(first.state == "done", "\(first.reason)")
            let again = try await koji.server.compose(
                json: try Self.body(try Self.lock(first), members: ["flags": ["no_reuse"]]), koji.service)
            #expect(again.state == "done", "\(again.reason)")
            #expect(try Self.repomds(again) == Self.repomds(first))
            #expect(again.document.kojiEvent == first.document.kojiEvent && again.document.sigkeys == "0B3E5524")

            // The numbers that a sender writes into the pin reach no other compose.
            var lock = try Self.lock(first)
            var pins = try #require(lock["pins"] as? [String: Any])
            var pin = try #require(pins["koji"] as? [String: Any])
            pin["tag"] = try #require(pin["tag"] as? [String: Any]).merging(["id": 1, "settledEvent": Int(Int32.max)]) { $1 }
            pins["koji"] = pin
            lock["pins"] = pins
            let changed = try await koji.server.compose(json: try Self.body(lock, members: ["flags": ["no_reuse"]]), koji.service)
            #expect(changed.state == "done", "\(changed.reason)")
            let latest = try await koji.service.store.latestKojiPin(ofTag: "f26-updates")
            #expect(latest != nil && latest?.id != 1 && latest?.settledEvent != Int(Int32.max))
        }
        try await SharedService.with(more: "") { shared in
            let directory = shared.sources.appending("kitchen")
            try await ModularWorld.kitchen.writeRepository(in: directory)
            let first = try await shared.compose(from: directory.string, ["pan", "--module", "tongs:2"])
            #expect(first.state == "done", "\(first.reason)")
            let again = try await shared.server.compose(
                json: try Self.body(try Self.lock(first), members: ["flags": ["no_reuse"]]), shared.service)
            #expect(again.state == "done", "\(again.reason)")
            #expect(try Self.repomds(again) == Self.repomds(first))
        }
    }

    @Test("a compose of other composes is made again from its lock file, and one of the other composes that is removed is named")
    func otherComposes() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = Checkout.testsRepo.string
            let parts = [
                try await shared.compose(from: repository, ["ed"]),
                try await shared.compose(from: repository, ["ed-tools", "libed-devel"]),
            ]
            let source = parts.map(\.document.resultRepo).joined(separator: " ")
            let merged = try await shared.server.compose(
                json: #"{"source": {"type": "pungi_compose", "source": "\#(source)"}}"#, shared.service)
            #expect(merged.state == "done", "\(merged.reason)")
            let body = try Self.body(try Self.lock(merged), members: ["flags": ["no_reuse"]])
            let again = try await shared.server.compose(json: body, shared.service)
            #expect(again.state == "done" && again.document.id != merged.document.id, "\(again.reason)")
            #expect(try Self.repomds(again) == Self.repomds(merged))
            #expect(try again.lock.packages.map(\.nevra) == merged.lock.packages.map(\.nevra))

            // The pins must be those of the composes that the request names.
            var changed = try Self.lock(merged)
            var pins = try #require(changed["pins"] as? [String: Any])
            var composes = try #require(pins["pungiComposes"] as? [[String: Any]])
            composes[0]["location"] = "/etc"
            pins["pungiComposes"] = composes
            changed["pins"] = pins
            let refused = try await shared.server.post(try Self.body(changed))
            #expect(refused.status == 400)
            #expect(try refused.message.hasPrefix("source.lock.pins.pungiComposes is not that of source.lock.submission."))

            _ = try await shared.server.http(.DELETE, "/api/1/composes/\(parts[0].document.id)")
            _ = try await shared.service.await(parts[0].document.id, .removed)
            let gone = try await shared.server.compose(json: body, shared.service)
            #expect(gone.state == "failed" && gone.reason.joined().contains("/odcs-\(parts[0].document.id)/"), "\(gone.reason)")
        }
    }

    @Test("a file that is gone or altered fails the compose and is named, with the repository as it was and with changed metadata")
    func damage() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            let first = try await shared.compose(from: repository.location, ["ed-suite"])
            let body = try Self.body(try Self.lock(first), members: ["flags": ["no_reuse"]])
            let name = "ed-vi-4.2-1.x86_64"

            // Only the file differs. A worker remembers checksums by the times of files, which differ too.
            let intact = try repository.read("Packages/\(name).rpm")
            try repository.flip("Packages/\(name).rpm")
            let altered = try await shared.server.compose(json: body, shared.service)
            #expect(altered.document.failure?.code == .packageFileUnusable, "\(altered.reason)")
            #expect(altered.reason.joined().contains(name), "\(altered.reason)")

            try repository.remove("Packages/\(name).rpm")
            let gone = try await shared.server.compose(json: body, shared.service)
            #expect(gone.document.failure?.code == .packageFileUnusable && gone.reason.joined().contains(name), "\(gone.reason)")

            // The repository was indexed again, and nothing is kept of its former state.
            try await repository.index(excluding: "nothing")
            try FileManager.default.removeItem(atPath: shared.service.directory.appending("cache").string)
            let changed = try await shared.server.compose(json: body, shared.service)
            #expect(changed.document.failure?.code == .sourceNotUsable, "\(changed.reason)")
            #expect(changed.reason.joined(separator: "\n").contains("\(name) with the checksum sha256:"), "\(changed.reason)")
            #expect(changed.reason.last?.hasSuffix("is gone.") == true, "\(changed.reason)")

            var other = intact
            other[other.index(before: other.endIndex)] ^= 0xFF
            try repository.write(other, to: "Packages/\(name).rpm")
            try await repository.index(excluding: "nothing")
            let resigned = try await shared.server.compose(json: body, shared.service)
            #expect(
                resigned.reason.joined(separator: "\n").contains("\(name) is altered: the lock file has the checksum sha256:"),
                "\(resigned.reason)")
        }
    }

    @Test("a lock file whose list of packages was changed never gives a compose, and the packages are named")
    func changedList() async throws {
        try await SharedService.with(more: "") { shared in
            let first = try await shared.server.compose(
                json: #"{"source": {"type": "repo", "source": "\#(Checkout.testsRepo)", "packages": ["ed-suite"]}}"#, shared.service)
            let lock = try Self.lock(first)
            let packages = try #require(lock["packages"] as? [[String: Any]])
            let fewer = lock.merging(["packages": packages.filter { ($0["nevra"] as? String)?.hasPrefix("ed-vi-") == false }]) { $1 }
            let compose = try await shared.server.compose(json: try Self.body(fewer), shared.service)
            #expect(compose.state == "failed")
            #expect(compose.reason.first == "The sources give other packages than those of the lock file:")
            #expect(compose.reason.contains("ed-vi-4.2-1.x86_64 is not in the lock file."), "\(compose.reason)")
        }
    }

    /// A change of a lock file, and the beginning of the message that refuses it.
    private struct Hostile {
        let message: String
        let change: (inout [String: Any]) -> Void

        init(_ message: String, _ change: @escaping (inout [String: Any]) -> Void) {
            self.message = message
            self.change = change
        }
    }

    @Test("lock files of a newer form, of wrong types, with paths and with pins of other sources are each refused by a clear sentence")
    func hostile() async throws {
        try await SharedService.with(more: "") { shared in
            let first = try await shared.server.compose(
                json: #"{"source": {"type": "repo", "source": "\#(Checkout.testsRepo)", "packages": ["ed"]}}"#, shared.service)
            let lock = try Self.lock(first)
            func pins(_ lock: inout [String: Any], _ change: (inout [String: Any]) -> Void) {
                var pins = lock["pins"] as? [String: Any] ?? [:]
                change(&pins)
                lock["pins"] = pins
            }
            func member(_ lock: inout [String: Any], _ member: String, _ value: Any) {
                var packages = lock["packages"] as? [[String: Any]] ?? []
                packages[0][member] = value
                lock["packages"] = packages
            }
            let checksum = "sha256:\(String(repeating: "0", count: 64))"
            let hostile = [
                Hostile("source.lock.version is 2, and this server reads version 1. A newer server") { $0["version"] = 2 },
                Hostile("source.lock.version is 0; it must be 1.") { $0["version"] = 0 },
                Hostile("source.lock.version must be an integer, not the string \"1\".") { $0["version"] = "1" },
                Hostile("source.lock is no lock file: version is missing.") { $0["version"] = nil },
                Hostile("source.lock has no submission. A server of an older version") { $0["submission"] = nil },
                Hostile("source.lock has no pins.") { $0["pins"] = nil },
                Hostile("source.lock.pins must be an object, not a list.") { $0["pins"] = [] },
                Hostile("source.lock.pins.repositories is not as a server writes it.") { pins(&$0) { $0["repositories"] = "x" } },
                Hostile("source.lock.pins.repositories is not that of source.lock.submission.") {
                    pins(&$0) { $0["repositories"] = [["location": "/etc", "repomd": checksum]] }
                },
                Hostile("source.lock.pins.repositories is not that of source.lock.submission.") {
                    pins(&$0) { $0["repositories"] = [["location": Checkout.testsRepo.string, "repomd": "../../etc/passwd"]] }
                },
                Hostile("source.lock.pins.koji is not that of source.lock.submission.") {
                    pins(&$0) { $0["koji"] = ["builds": [], "scratchTasks": []] }
                },
                Hostile("source.lock has no packages.") { $0["packages"] = nil },
                Hostile("source.lock.packages must be a list of packages, not an object.") { $0["packages"] = [String: Any]() },
                Hostile("source.lock.packages[0] must be an object, not the number 1.") { $0["packages"] = [1] },
                Hostile("source.lock.packages[0].nevra must be a string, not the number 5.") { member(&$0, "nevra", 5) },
                Hostile("source.lock.packages[0].nevra is \"../../../etc/passwd\"") { member(&$0, "nevra", "../../../etc/passwd") },
                Hostile("source.lock.packages[0].nevra is ") { member(&$0, "nevra", "ed-1-1.x86_64\nsha256:0 other-1-1.noarch") },
                Hostile("source.lock.packages[0].checksum is \"sha256:zz\"") { member(&$0, "checksum", "sha256:zz") },
                Hostile("source.type is missing") { $0["submission"] = ["source": [String: Any]()] },
                Hostile("") { $0["submission"] = ["source": ["type": "repo", "source": "../secret"]] },
            ]
            for case let hostile in hostile {
                var changed = lock
                hostile.change(&changed)
                let answer = try await shared.server.post(try Self.body(changed))
                #expect(answer.status == 400, "\(hostile.message): \(answer.text)")
                let message = try answer.message
                #expect(message.hasPrefix(hostile.message), "\(message)")
            }
            // Paths are not used at all.
            var moved = lock
            member(&moved, "path", "/etc/passwd")
            member(&moved, "location", "../../../../etc/passwd")
            let compose = try await shared.server.compose(json: try Self.body(moved), shared.service)
            #expect(compose.state == "done", "\(compose.reason)")

            func refusal(_ body: String) async throws -> String { try await shared.server.post(body).message }
            #expect(try await refusal(try Self.body("12")).hasPrefix("source.lock must be a lock file, or the number of a compose"))
            #expect(try await refusal(try Self.body(99_999)) == "There is no compose 99999.")
            #expect(try await refusal(#"{"source": {"lock": 1, "type": "repo"}}"#).hasPrefix("source.type cannot be beside source.lock"))
            #expect(try await refusal(try Self.body(1, members: ["arches": ["x86_64"]])).hasPrefix("arches cannot be beside source.lock."))
            let huge = try await shared.server.post(try Self.body(lock.merging(["more": String(repeating: "x", count: 2 << 20)]) { $1 }))
            #expect(huge.status == 413)
            let dry = try await shared.server.post(try Self.body(1), to: "/api/1/composes/?dry_run=1")
            #expect(dry.status == 400)
        }
    }
}
