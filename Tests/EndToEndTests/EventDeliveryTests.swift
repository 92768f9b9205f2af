import AsyncHTTPClient
import ComposeModel
import ComposeStore
import ComposeTestKit
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOHTTP1
import Postgres
import Synchronization
import SystemPackage
import Testing

/// Webhooks of a whole service: every event arrives at each, whatever the others and the workers do.
@Suite(.timeLimit(.minutes(5))) struct EventDeliveryTests {
    private static let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
    private static let repository = Checkout.testsRepo.string

    /// Checks a message as the libraries of Standard Webhooks do.
    private static func isSigned(_ delivery: EventReceiver.Delivery, by secret: String) -> Bool {
        guard let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))), let id = delivery["webhook-id"],
            let timestamp = delivery["webhook-timestamp"], let signatures = delivery["webhook-signature"]
        else { return false }
        let signed = Data("\(id).\(timestamp).".utf8) + delivery.body
        let code = Data(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))).base64EncodedString()
        return signatures.split(separator: " ").contains("v1,\(code)")
    }

    /// Returns the events of the database: their ids in order, with what they say.
    private func events(_ service: TestService) async throws -> [Int: String] {
        let rows = try await service.database.pool.query("SELECT id, compose_id || ' ' || state AS change FROM events")
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode(Int.self, "id"), try $0.decode(String.self, "change")) })
    }

    /// Reads what a receiver gets until it has all of `ids`, and checks the order in each compose.
    private func readAll(_ ids: Set<Int>, from receiver: EventReceiver, unless isRefused: (EventReceiver.Delivery) -> Bool = { _ in false })
        async throws
    {
        var seen: [Int] = []
        var last: [Substring: Int] = [:]
        for await delivery in receiver.deliveries {
            if isRefused(delivery) { continue }
            if !seen.contains(delivery.event) {
                seen.append(delivery.event)
                let compose = try #require(try delivery.change.split(separator: " ").first)
                #expect(last[compose, default: 0] < delivery.event, "compose \(compose)")
                last[compose] = delivery.event
            }
            if ids.isSubset(of: seen) { break }
        }
        #expect(Set(seen) == ids)
    }

    @Test("every event arrives at each of three receivers, in order per compose, while workers are killed")
    func threeReceivers() async throws {
        let isOff = Mutex(true)
        let taken = Mutex<Set<Int>>([])
        try await EventReceiver.with { delivery in
            Self.secrets.allSatisfy { Self.isSigned(delivery, by: $0) } ? .noContent : .badRequest
        } _: { verifying in
            try await EventReceiver.with { _ in
                // A slow one: it answers only after a few thousand turns of the scheduler.
                for _ in 0..<5000 { await Task.yield() }
                return .ok
            } _: { slow in
                try await EventReceiver.with { delivery in
                    if isOff.withLock(\.self) { return .serviceUnavailable }
                    taken.withLock { _ = $0.insert(delivery.event) }
                    return .ok
                } _: { off in
                    let directory = try TemporaryDirectory()
                    defer { directory.remove() }
                    let file = directory.path.appending("secrets")
                    try Data(Self.secrets.joined(separator: "\n").utf8).write(to: URL(filePath: file.string))
                    let more = """
                        worker: {lease_seconds: 3, retry_seconds: 1}
                        events:
                          subscribers:
                            verifying: {url: "\(verifying.url)", secret_file: "\(file)"}
                            slow: {url: "\(slow.url)"}
                            off: {url: "\(off.url)"}
                        """
                    try await TestService.with(more: more) { service in
                        try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                            let workers = try service.configuration("worker.yaml") {
                                $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(frontend.url)\"}")
                            }
                            var submitted: [Int] = []
                            for _ in 0..<4 {
                                for _ in 0..<3 { submitted.append(try await frontend.submit("repo", Self.repository, "libed-data").id) }
                                let last = submitted[submitted.count - 1]
                                try await ServerProcess.with("worker", configuration: workers) { worker in
                                    _ = try await service.await(last, .generating, .done)
                                    await worker.kill()
                                }
                            }
                            let ids = submitted
                            try await ServerProcess.with("worker", configuration: workers) { _ in
                                for id in ids { #expect(try await service.await(id, .done, .failed).state == .done) }
                                let events = try await events(service)
                                let all = Set(events.keys)
                                #expect(events.values.count { $0.hasSuffix(" 2") } == ids.count)
                                // The others have everything while one is off.
                                try await readAll(all, from: verifying)
                                try await readAll(all, from: slow)
                                let waiting = try #require(try await service.store.subscribers().first { $0.name == "off" })
                                #expect(waiting.behind == all.count)
                                #expect(waiting.problem == "It answered 503.")
                                isOff.withLock { $0 = false }
                                // A person need not wait until the rest is over.
                                #expect(try await service.store.replay(waiting.id) == 0)
                                for await _ in off.deliveries where taken.withLock({ $0 == all }) { break }
                                #expect(try await service.store.subscribers().allSatisfy { $0.deadLetters == 0 })
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("a refused event is a dead letter, an admin sees it and has it sent again", arguments: [400, 302])
    func deadLetters(status: Int) async throws {
        let refusal = Mutex<Int?>(status)
        try await EventReceiver.with { _ in
            refusal.withLock(\.self).map { .init(code: $0) } ?? .ok
        } _: { receiver in
            try await TestService.running(more: "events: {subscribers: {ci: {url: \"\(receiver.url)\", states: [done]}}}") {
                service, server in
                let done = try await server.compose("repo", Self.repository, "libed-data")
                var deliveries = receiver.deliveries.makeAsyncIterator()
                #expect(try await deliveries.next()?.change == "\(done.id) done")
                struct Subscribers: Decodable {
                    struct Letter: Decodable { let object: String, problem: String }
                    struct Item: Decodable { let id: Int, name: String, dead_letters: Int, letters: [Letter]? }
                    let items: [Item]
                }
                func subscriber() async throws -> Subscribers.Item {
                    let all = try JSONDecoder().decode(Subscribers.self, from: try await server.http(.GET, "/api/1/subscribers/").body)
                    #expect(all.items.map(\.name).sorted() == ["ci", "log"])
                    let id = try #require(all.items.first { $0.name == "ci" }).id
                    return try JSONDecoder().decode(
                        Subscribers.Item.self, from: try await server.http(.GET, "/api/1/subscribers/\(id)").body)
                }
                var found = try await subscriber()
                while found.dead_letters == 0 { found = try await subscriber() }
                #expect(found.letters?.map(\.object) == ["compose \(done.id)"])
                #expect(found.letters?.first?.problem.hasPrefix("It answered \(status).") == true)
                let list = try await Program.run(
                    [Program.own("odcs-server"), "events", "dead-letters", "ci", "--config", service.configuration.string], environment: [:]
                )
                #expect(list.output.contains("compose \(done.id)") && list.output.contains("It answered \(status)."))

                func replay() async throws {
                    let answer = try await server.http(.POST, "/api/1/subscribers/\(found.id)/replay", body: .bytes(Array("{}".utf8)))
                    #expect(answer.status == 202)
                    #expect(try answer.message == "1 dead letter is sent again.")
                    #expect(try await deliveries.next()?.change == "\(done.id) done")
                }
                // A receiver that still cannot process the event gets the others.
                refusal.withLock { $0 = 500 }
                try await replay()
                refusal.withLock { $0 = nil }
                let other = try await server.compose("repo", Self.repository, "ed")
                #expect(try await deliveries.next()?.change == "\(other.id) done")
                let still = try await subscriber()
                #expect(still.letters?.map(\.problem) == ["It answered 500."])
                try await replay()
                while try await subscriber().dead_letters > 0 {}
            }
        }
    }

    @Test("a receiver that is gone gets nothing more until a person resumes it, and others go on")
    func gone() async throws {
        let isGone = Mutex(true)
        try await EventReceiver.with { _ in
            isGone.withLock(\.self) ? .gone : .ok
        } _: { gone in
            try await EventReceiver.with { _ in
                .ok
            } _: { well in
                let more = "events: {subscribers: {gone: {url: \"\(gone.url)\"}, well: {url: \"\(well.url)\"}}}"
                try await TestService.running(more: more) { service, server in
                    let first = try await server.compose("repo", Self.repository, "libed-data")
                    try await readAll(Set(try await events(service).keys), from: well)
                    var deliveries = gone.deliveries.makeAsyncIterator()
                    #expect(try await deliveries.next()?.change == "\(first.id) wait")
                    var paused = try await service.store.subscribers().first { $0.name == "gone" }
                    while paused?.pausedAt == nil { paused = try await service.store.subscribers().first { $0.name == "gone" } }
                    #expect(paused?.problem == "It answered 410: it wants no messages any more.")
                    isGone.withLock { $0 = false }
                    let id = try #require(paused?.id)
                    #expect(try await server.http(.POST, "/api/1/subscribers/\(id)/resume").status == 202)
                    for state in ["wait", "generating", "done"] {
                        #expect(try await deliveries.next()?.change == "\(first.id) \(state)")
                    }
                }
            }
        }
    }

    @Test("a receiver that never answers delays neither the others nor the end of the service")
    func hung() async throws {
        let gate = Signal<Void>()
        try await EventReceiver.with { _ in
            _ = await gate.value
            return .ok
        } _: { hung in
            try await EventReceiver.with { _ in
                .ok
            } _: { well in
                try await TestService.running(more: "events: {webhooks: [\"\(hung.url)\", \"\(well.url)\"]}") { service, server in
                    _ = try await server.compose("repo", Self.repository, "libed-data")
                    try await readAll(Set(try await events(service).keys), from: well)
                    await server.terminate()
                    let waiting = try await service.store.subscribers().first { $0.name == hung.url }
                    #expect(waiting?.position == 0)
                }
                await gate.send(())
            }
        }
    }

    @Test("an event that cannot be read is a dead letter, and the receiver gets the others")
    func unreadable() async throws {
        let isOff = Mutex(true)
        try await EventReceiver.with { _ in
            isOff.withLock(\.self) ? .serviceUnavailable : .ok
        } _: { receiver in
            try await TestService.running(more: "events: {subscribers: {ci: {url: \"\(receiver.url)\"}}}") { service, server in
                let compose = try await server.compose("repo", Self.repository, "libed-data")
                // The process that delivers must not have read it before.
                _ = try await service.database.pool.query(
                    "UPDATE events SET compose = jsonb_set(compose, '{state}', '99') WHERE compose_id = \(compose.id) AND state = 1")
                isOff.withLock { $0 = false }
                let subscriber = try #require(try await service.store.subscribers().first { $0.name == "ci" })
                _ = try await service.store.replay(subscriber.id)
                var changes: Set<String> = []
                for await delivery in receiver.deliveries {
                    changes.insert(try delivery.change)
                    if changes.contains("\(compose.id) done") { break }
                }
                #expect(changes == ["\(compose.id) wait", "\(compose.id) done"])
                var letters = try await service.store.deadLetters(of: subscriber.id)
                while letters.isEmpty { letters = try await service.store.deadLetters(of: subscriber.id) }
                #expect(letters.map(\.event?.object) == [.compose(compose.id)])
                #expect(letters[0].problem.hasPrefix("The event cannot be read: "))
            }
        }
    }

    @Test("a broker without a publisher is reported, and a subscriber that is configured is not forgotten by mistake")
    func commands() async throws {
        let kafka = "kafka: {kind: kafka, brokers: [\"127.0.0.1:1\"], topic: odcs, tls: false}"
        try await TestService.running(more: "events: {subscribers: {ci: {url: \"http://127.0.0.1:1/\"}, \(kafka)}}") { service, server in
            // A publisher would need this address.
            let variables: [String: String?] = ["ODCS_FRONTEND__PUBLIC_URL": "http://odcs.example.org"]
            func odcs(_ words: String...) async throws -> Program {
                try await Program.run(
                    [Program.own("odcs-server")] + words + ["--config", service.configuration.string], environment: variables)
            }
            _ = try await server.compose("repo", Self.repository, "libed-data")
            #expect(
                try await odcs("check-config").complaints.contains("events.subscribers.kafka gets no events: no odcs-publisher was seen"))
            #expect(try await odcs("events", "list").output.contains("kafka  no odcs-publisher has served it yet"))
            try await service.store.registerSubscribers(["kafka"])
            #expect(try await odcs("check-config").complaints.contains("odcs-publisher") == false)
            #expect(try await odcs("events", "pause", "ci").output == "ci is paused. Its events wait.\n")
            #expect(try await odcs("events", "resume", "ci").output == "ci gets its events from position 1 on.\n")
            let refused = try await odcs("events", "forget", "ci")
            #expect(refused.status == 64)
            #expect(refused.complaints.contains("ci is in the configuration. Remove it there first, or use --force."))
            #expect(
                try await odcs("events", "forget", "ci", "--force").output.hasPrefix("ci is deleted, with 3 events that it has not taken"))
        }
    }
}
