import AsyncHTTPClient
import ComposeModel
import ComposeStore
import Foundation
import ImageModel
import NIOHTTP1
import SystemPackage
import Testing

/// What becomes of composes: shared, renewed, expired, removed, and told of.
@Suite(.timeLimit(.minutes(3))) struct LifeTests {
    private static let testsRepo = Checkout.testsRepo.string

    private func isThere(_ id: Int, in service: TestService) -> Bool {
        FileManager.default.fileExists(atPath: service.composes.appending("odcs-\(id)").string)
    }

    // MARK: Sharing

    @Test("a request equal to a compose that is done shows its result, and makes no directory")
    func reuse() async throws {
        try await TestService.running { service, server in
            let first = try await server.compose("repo", Self.testsRepo, "ed", "--ttl", "1h")
            let second = try await server.compose("repo", Self.testsRepo, "ed", "--ttl", "2h")
            #expect(second.id != first.id)
            #expect(second.stateName == "done")
            #expect(second.stateReason == "Done: it shows compose \(first.id), which has the same inputs.")
            #expect(second.resultRepo == first.resultRepo)
            #expect(second.resultRepofile == first.resultRepofile)
            #expect(second.toplevelURL == first.toplevelURL)
            #expect(try service.traces(of: second.id) == [])
            #expect(try await server.http(.GET, second.resultRepofile).status == 200)
            // Both live as long as the one that lives longest.
            #expect(try await server.compose(first.id).timeToExpire == second.timeToExpire)

            let other = try await server.compose("repo", Self.testsRepo, "ed", "--no-reuse")
            #expect(other.toplevelURL != first.toplevelURL)
            #expect(isThere(other.id, in: service))
            let without = try await server.compose("repo", Self.testsRepo, "ed", "--no-deps")
            #expect(without.toplevelURL != first.toplevelURL)
        }
    }

    @Test("a request equal to a compose under way waits for it, and takes no worker's time")
    func joining() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.running(urls: [repository.url], more: "worker: {slots: 2}") { service, server in
                let first = try await server.submit("repo", repository.url, "ed", "--ttl", "1")
                _ = await repository.wasAsked.value
                let second = try await server.submit("repo", repository.url, "ed")
                // Two slots, and the first compose holds one: this one gets the other after the second compose gave it up.
                let third = try await server.compose("repo", Self.testsRepo, "libed-data", "--no-deps")
                #expect(third.stateName == "done")
                let joined = try await server.compose(second.id)
                #expect(joined.stateName == "generating")
                #expect(joined.toplevelURL == first.toplevelURL)

                await repository.gate.send(())
                let done = try await service.await(first.id, .done, .failed)
                let shown = try await service.await(second.id, .done, .failed)
                #expect(done.state == .done)
                #expect(shown.state == .done)
                #expect(shown.resultOf == first.id)
                #expect(done.timeToExpire == shown.timeToExpire)
                #expect(try service.traces(of: second.id) == [])
            }
        }
    }

    // MARK: The end

    @Test("the files of a compose go when its time is over, but not those that another one shows; the record stays")
    func expiry() async throws {
        try await TestService.running(more: "worker: {expire_seconds: 1}") { service, server in
            let first = try await server.compose("repo", Self.testsRepo, "ed")
            let second = try await server.compose("repo", Self.testsRepo, "ed")
            #expect(second.toplevelURL == first.toplevelURL)
            let brief = try await server.compose("repo", Self.testsRepo, "libed", "--ttl", "1")
            let expired = try await service.await(brief.id, .removed)
            #expect(expired.stateReason?.hasPrefix("Done: ") == true)
            #expect(expired.stateReason?.hasSuffix("\nExpired: its time to live has ended.") == true)
            #expect(expired.removedBy == nil)

            #expect(try await server.http(.DELETE, "/api/1/composes/\(first.id)").status == 202)
            let removed = try await service.await(first.id, .removed)
            #expect(removed.stateReason == (first.stateReason ?? "") + "\nRemoved by unknown.")
            #expect(removed.removedBy == "unknown")
            // The expirer is through with what it did before: one run ends before the next one begins.
            #expect(try service.traces(of: brief.id) == [])
            #expect(try await server.http(.GET, brief.resultRepofile).status == 404)
            #expect(try await server.compose(brief.id).stateName == "removed")

            let third = try await server.compose("repo", Self.testsRepo, "libed-data")
            for id in [third.id, second.id] {
                #expect(isThere(first.id, in: service))
                #expect(try await server.http(.GET, second.resultRepofile).status == 200)
                #expect(try await server.http(.DELETE, "/api/1/composes/\(id)").status == 202)
                _ = try await service.await(id, .removed)
            }
            let last = try await server.compose("repo", Self.testsRepo, "libed-data")
            #expect(try await server.http(.DELETE, "/api/1/composes/\(last.id)").status == 202)
            _ = try await service.await(last.id, .removed)
            #expect(try service.traces(of: first.id) == [])
            #expect(try await server.http(.GET, second.resultRepofile).status == 404)
            #expect(try await server.compose(first.id).stateName == "removed")
        }
    }

    @Test("DELETE says what it did, and what cannot be deleted")
    func delete() async throws {
        try await TestService.running(more: "worker: {expire_seconds: 1}") { service, server in
            let id = try await server.compose("repo", Self.testsRepo, "libed-data").id
            let answer = try await server.http(.DELETE, "/api/1/composes/\(id)")
            #expect(answer.status == 202)
            #expect(answer.text == #"{"message":"Compose \#(id) has expired; its files will be removed soon.","status":202}"#)
            _ = try await service.await(id, .removed)
            let again = try await server.http(.DELETE, "/api/1/composes/\(id)")
            #expect(again.status == 400)
            #expect(
                try again.message
                    == "Compose \(id) is in state removed already; one that is wait, generating, done or failed can be deleted.")
            let nothing = try await server.http(.DELETE, "/api/1/composes/\(id + 1)")
            #expect(nothing.status == 404)
            #expect(try nothing.message == "There is no compose \(id + 1).")
        }
    }

    // MARK: Renewing

    @Test("renewing makes a compose live longer, and never shorter")
    func extending() async throws {
        try await TestService.running { _, server in
            let compose = try await server.compose("repo", Self.testsRepo, "libed-data", "--ttl", "1h")
            func renewed(_ ttl: String) async throws -> ComposeDocument {
                let program = try await server.odcs("renew", "\(compose.id)", "--ttl", ttl, "--json")
                return try JSONDecoder().decode(ComposeDocument.self, from: Data(program.output.utf8))
            }
            let longer = try await renewed("2h")
            #expect(longer.id == compose.id)
            #expect(try #require(longer.timeToExpire) > #require(compose.timeToExpire))
            #expect(try await renewed("1m").timeToExpire == longer.timeToExpire)
        }
    }

    /// A compose of `ed` that was removed, and whose source has lost the package since.
    private func withRemovedCompose(
        _ body: @escaping @Sendable (SharedService, RepositoryCopy, ComposeDocument, [String: String]) async throws -> Void
    ) async throws {
        try await SharedService.with(more: "worker: {expire_seconds: 1}") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            let old = try await shared.server.compose("repo", repository.location, "ed")
            let packages = try shared.service.packages(of: old.id)
            try await repository.index(excluding: "*-1.20-3.*")
            #expect(try await shared.server.compose("repo", repository.location, "ed").stateName == "failed")
            #expect(try await shared.server.http(.DELETE, "/api/1/composes/\(old.id)").status == 202)
            _ = try await shared.service.await(old.id, .removed)
            try await body(shared, repository, old, packages)
        }
    }

    private func renew(_ id: Int, on server: ServerProcess) async throws -> ComposeDocument {
        let answer = try await server.http(.PATCH, "/api/1/composes/\(id)")
        #expect(answer.status == 200)
        return try JSONDecoder().decode(ComposeDocument.self, from: answer.body)
    }

    @Test("a removed compose is renewed with the same packages, whatever became of its source")
    func renewedFromPins() async throws {
        try await withRemovedCompose { shared, _, old, packages in
            let new = try await renew(old.id, on: shared.server)
            #expect(new.id != old.id)
            #expect(new.stateName == "wait")
            let done = try await shared.service.await(new.id, .done, .failed)
            #expect(done.stateReason == old.stateReason)
            #expect(!packages.isEmpty)
            #expect(try shared.service.packages(of: new.id) == packages)
        }
    }

    @Test("a removed compose whose metadata is nowhere any more cannot be renewed, and says so")
    func renewedWithoutMetadata() async throws {
        try await withRemovedCompose { shared, repository, old, _ in
            let cache = shared.service.directory.appending("cache")
            for name in try FileManager.default.contentsOfDirectory(atPath: cache.string) {
                try FileManager.default.removeItem(atPath: cache.appending(name).string)
            }
            let pin = try #require(try await shared.service.store.compose(old.id)?.specification?.pins.repositories.first?.repomd)
            let failed = try await shared.service.await(try await renew(old.id, on: shared.server).id, .done, .failed)
            #expect(
                failed.stateReason
                    == "The repository \(repository.location) no longer has the metadata of the time when the compose was first made "
                    + "(repomd.xml \(pin)): it has changed since. A new compose takes it as it is now.")
        }
    }

    // MARK: The first published form

    @Test("the first published form of the interface makes, shows, lists and regenerates composes")
    func firstForm() async throws {
        try await TestService.running(more: "worker: {expire_seconds: 1}") { service, server in
            let body = #"""
                {"source_type": "repo", "source": "\#(Self.testsRepo)", "packages": ["ed"], "seconds-to-live": 1000, "flags": ["no_deps"]}
                """#
            let answer = try await server.post(body, to: "/odcs/1/composes")
            #expect(answer.status == 200)
            let members = try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any])
            let expected = [
                "id", "owner", "result_repo", "source", "source_type", "state", "state_name", "time_done", "time_removed", "time_submitted",
            ]
            #expect(expected.filter { members[$0] == nil } == [])
            let id = try #require(members["id"] as? Int)
            #expect(try await service.await(id, .done, .failed).state == .done)

            func get(_ path: String) async throws -> [String: Any] {
                try #require(try JSONSerialization.jsonObject(with: try await server.http(.GET, path).body) as? [String: Any])
            }
            #expect(try await get("/odcs/1/composes/\(id)")["state_name"] as? String == "done")
            let items = try await get("/odcs/1/composes")["items"] as? [[String: Any]]
            #expect(items?.map { $0["id"] as? Int } == [id])

            let early = try await server.post("{\"id\": \(id)}", to: "/odcs/1/composes")
            #expect(early.status == 400)
            #expect(try early.message == "Compose \(id) is in state done; only one that is removed or failed can be made again.")
            let packages = try service.packages(of: id)
            #expect(try await server.http(.DELETE, "/api/1/composes/\(id)").status == 202)
            _ = try await service.await(id, .removed)
            let again = try await server.post("{\"id\": \(id)}", to: "/odcs/1/composes")
            #expect(again.status == 200)
            let new = try JSONDecoder().decode(ComposeDocument.self, from: again.body)
            #expect(new.id != id)
            #expect(try await service.await(new.id, .done, .failed).state == .done)
            #expect(try service.packages(of: new.id) == packages)
        }
    }

    @Test("latest-odcs-N-1 names the same files as odcs-N")
    func latest() async throws {
        try await TestService.running { _, server in
            let compose = try await server.compose("repo", Self.testsRepo, "libed-data")
            let latest = compose.resultRepofile.replacing("/odcs-\(compose.id)/", with: "/latest-odcs-\(compose.id)-1/")
            #expect(latest != compose.resultRepofile)
            let answer = try await server.http(.GET, latest)
            #expect(answer.status == 200)
            #expect(answer.body == (try await server.http(.GET, compose.resultRepofile).body))
        }
    }

    // MARK: Events

    @Test("every change of state is told until it was taken, in order for each compose", arguments: [0, 2])
    func events(refusals: Int) async throws {
        try await WebhookReceiver.with(refusals: refusals) { receiver in
            let more = "events: {webhooks: [\"\(receiver.url)\"]}\nworker: {expire_seconds: 1}"
            try await TestService.running(more: more) { service, server in
                let failing = try await server.compose("repo", Self.testsRepo, "nowhere")
                let done = try await server.compose("repo", Self.testsRepo, "libed-data")
                #expect(try await server.http(.DELETE, "/api/1/composes/\(done.id)").status == 202)

                var states: [Int: [String]] = [:]
                var last: ComposeDocument?
                for await message in receiver.messages {
                    #expect(message.event == "state-changed")
                    let compose = try #require(message.compose)
                    states[compose.id, default: []].append(compose.stateName)
                    if compose.id == done.id { last = compose }
                    if states.values.reduce(0, { $0 + $1.count }) == 7 { break }
                }
                #expect(states == [failing.id: ["wait", "generating", "failed"], done.id: ["wait", "generating", "done", "removed"]])
                #expect(try await server.compose(done.id) == last)
            }
        }
    }

    @Test("every change of state of a build is told in order, with the build instead of a compose")
    func eventsOfBuilds() async throws {
        try await WebhookReceiver.with { receiver in
            try await TestService.running(more: "events: {webhooks: [\"\(receiver.url)\"]}") { service, _ in
                let repository = try ImageReference("registry.example.org/team/web").repository
                let definition = ImageDefinition(source: .containerfile("FROM scratch"), platforms: [.host])
                let actor = Actor(name: "me", isAdmin: false)
                guard case .added(let image) = try await service.store.addImage(repository, as: definition, by: actor) else {
                    Issue.record("The image was there already.")
                    return
                }
                let build = try await service.store.submitBuild(
                    of: image.id, BuildRequest(definition), owner: "me", dateTag: ImageTag("20261129"))
                _ = try await service.store.cancelBuild(build.id, by: actor)
                var states: [String] = []
                for await message in receiver.messages {
                    #expect(message.event == "state-changed")
                    #expect(message.compose == nil)
                    let document = try #require(message.build)
                    #expect(document.id == build.id)
                    #expect(document.repository == "registry.example.org/team/web")
                    states.append(document.stateName)
                    if document.stateName == "failed" { break }
                }
                #expect(states == ["wait", "failed"])
            }
        }
    }

    // MARK: The log

    @Test("the log is read by ranges while it grows, and odcs watch shows all of it")
    func log() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.running(urls: [repository.url], more: "worker: {slots: 1}") { service, server in
                let first = try await server.submit("repo", repository.url, "ed")
                _ = await repository.wasAsked.value
                let second = try await server.submit("repo", repository.url, "libed-data")
                let waiting = try await server.http(.GET, "\(second.toplevelURL)/pungi-stderr.log")
                #expect(waiting.status == 404)

                let url = "\(first.toplevelURL)/pungi-stderr.log"
                func read(from offset: Int) async throws -> HTTPAnswer {
                    try await server.http(.GET, url, headers: [("Range", "bytes=\(offset)-")])
                }
                let begun = try await read(from: 0)
                let size = begun.body.count
                #expect(begun.status == 206)
                #expect(begun.headers.first(name: "Content-Range") == "bytes 0-\(size - 1)/\(size)")
                #expect(begun.text.contains(" INFO  Attempt 1 at compose \(first.id) by "))
                #expect(begun.text.hasSuffix("\n"))
                let nothingYet = try await read(from: size)
                #expect(nothingYet.status == 416)
                #expect(nothingYet.headers.first(name: "Content-Range") == "bytes */\(size)")

                async let watchingFirst = server.odcs("watch", "\(first.id)")
                async let watchingSecond = server.odcs("watch", "\(second.id)")
                await repository.gate.send(())
                _ = try await service.await(first.id, .done)
                let rest = try await read(from: size)
                #expect(rest.status == 206)
                let whole = try await server.http(.GET, url)
                #expect(whole.status == 200)
                #expect(whole.text == begun.text + rest.text)
                #expect(whole.text.hasSuffix(" INFO  Done.\n"))

                for (watched, compose) in [(try await watchingFirst, first), (try await watchingSecond, second)] {
                    let log = try await server.http(.GET, "\(compose.toplevelURL)/pungi-stderr.log").text
                    #expect(watched.status == 0)
                    #expect(watched.output.hasPrefix(log + "Compose \(compose.id) is done.\n"))
                }
            }
        }
    }
}
