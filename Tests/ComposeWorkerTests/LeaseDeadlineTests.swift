import ComposeModel
import Foundation
import SystemPackage
import Testing

@testable import ComposeStore
@testable import ComposeWorker

/// What a worker may do while it may trust its lease, and not afterwards.
@Suite struct LeaseDeadlineTests {
    @Test("a log takes lines as long as the lease is trusted, and again after it was renewed")
    func log() async throws {
        try await Workplace.with { place in
            let deadline = LeaseDeadline(length: .seconds(3600))
            let log = try ComposeLog(place.directory.appending("other"), until: deadline)
            log.write(.info, "Begun.")
            deadline.renewed(asked: .now - .seconds(3600))
            #expect(deadline.isOver)
            log.write(.info, "A zombie's line.")
            deadline.renewed(asked: .now)
            log.write(.info, "Done.")
            let lines = try place.text("other").split(separator: "\n").map { $0.dropFirst("2026-11-21T10:00:00Z INFO  ".count) }
            #expect(lines == ["Begun.", "Done."])
        }
    }

    @Test("a worker whose renewal failed trusts its lease only as long as it is certain to be left alone")
    func doubt() throws {
        let deadline = LeaseDeadline(asked: .now - .seconds(60), length: .seconds(3600))
        #expect(!deadline.isOver)
        deadline.doubted()
        #expect(deadline.isOver)
        #expect(!deadline.hasRunOut, "the lease may still be renewed")
        deadline.renewed(asked: .now)
        #expect(!deadline.isOver)
        #expect(LeaseDeadline(asked: .now - .seconds(60), length: .seconds(60)).hasRunOut)
    }

    @Test("a finished directory gets its names; one that is there already is left alone until it is to be replaced")
    func publication() async throws {
        try await Workplace.with { place in
            let request = ComposeRequest(sourceType: .repo, source: ["/srv"], arches: ["x86_64"], secondsToLive: 60)
            let compose = Compose(
                id: 12, owner: "me", request: request, source: "/srv", state: .generating, timeSubmitted: .now, timeToExpire: .now,
                resultOf: 12)
            let configuration = WorkerConfiguration(name: "w", targets: ["default": .init(directory: place.directory, url: "http://here")])
            func publication(_ text: String, until deadline: LeaseDeadline = .init(length: .seconds(60))) throws -> Publication {
                let attempt = try ComposeAttempt(
                    ComposeLease(compose: compose, token: UUID()), until: deadline, configuration: configuration)
                try place.write(text, to: "\(attempt.layout.attempt(attempt.lease.token.uuidString.lowercased()))/file")
                return Publication(attempt: attempt, directory: attempt.directory)
            }
            // The database has confirmed that this attempt holds the compose, although a renewal failed meanwhile.
            let first = try publication("one", until: LeaseDeadline(asked: .now - .seconds(60), length: .seconds(60)))
            #expect(try first.place())
            try first.giveOtherNames()
            #expect(try place.text("odcs-12/file") == "one")
            #expect(try place.text("latest-odcs-12-1/file") == "one")
            let second = try publication("two")
            #expect(try !second.place())
            #expect(try place.text("odcs-12/file") == "one")
            try second.replace()
            try second.giveOtherNames()
            #expect(try place.text("odcs-12/file") == "two")
            #expect(try place.text("latest-odcs-12-1/file") == "two")
        }
    }

    @Test("processes tell by a file whether they share a target directory; of two that write it at once the first one's id counts")
    func marker() async throws {
        try await Workplace.with { place in
            let marker = TargetMarker(in: place.directory)
            let (one, other) = (UUID(), UUID())
            #expect(try marker.read() == nil)
            #expect(try marker.read(orWrite: one) == one)
            #expect(try marker.read(orWrite: other) == one)
            try place.write("something else", to: TargetMarker.name)
            #expect(try marker.read() == nil)
            #expect(try marker.read(orWrite: other) == other)
            #expect(try marker.read() == other)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.directory.string).sorted() == [TargetMarker.name, "log"])
        }
    }
}
