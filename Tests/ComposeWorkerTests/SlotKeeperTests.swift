import ComposeModel
import Foundation
import HTTPEnvironment
import Testing

@testable import ComposeWorker

@Suite("Slots and silent sources")
struct SlotKeeperTests {
    private let silentSince = SlotKeeper.patience + .seconds(1)

    /// Waits for a signal that never comes, until the task is canceled.
    private static func waitForever() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Never.self)
        for await _ in signals {}
        withExtendedLifetime(signal) {}
        try Task.checkCancellation()
    }

    /// An attempt that waits for `origin` without end.
    private func hang(
        _ compose: Int, at origin: String, in slots: SlotKeeper, _ began: AsyncStream<Void>.Continuation
    ) -> Task<Void, any Error> {
        Task {
            try await slots.hold(compose, attempt: UUID()) {
                try await SourceWaits.waiting(for: origin) {
                    began.yield()
                    try await Self.waitForever()
                }
            }
        }
    }

    private func origin(of task: Task<Void, any Error>) async -> String? {
        do {
            try await task.value
            return nil
        } catch {
            return (error as? GaveWay)?.origin
        }
    }

    @Test("if all slots wait for silent sources and others wait, the compose that was asked for last gives way")
    func lastGivesWay() async throws {
        let slots = SlotKeeper(slots: 2)
        let (begins, began) = AsyncStream.makeStream(of: Void.self)
        let first = hang(1, at: "http://a.example", in: slots, began)
        let second = hang(2, at: "http://b.example", in: slots, began)
        for await _ in begins.prefix(2) {}
        await slots.look(at: .now + silentSince) { false }
        await slots.look(at: .now) { true }
        await slots.look(at: .now + silentSince) { true }
        #expect(await origin(of: second) == "http://b.example")
        // The other slot is free now.
        await slots.look(at: .now + silentSince * 1000) { true }
        first.cancel()
        #expect(await origin(of: first) == nil)
    }

    @Test("a slot whose source sends enough is not silent, and one whose source drips is")
    func progress() async throws {
        let slots = SlotKeeper(slots: 2)
        let (begins, began) = AsyncStream.makeStream(of: Void.self)
        let dripping = Task {
            try await slots.hold(1, attempt: UUID()) {
                try await SourceWaits.waiting(for: "http://a.example") {
                    SourceWaits.received(1000)
                    began.yield()
                    try await Self.waitForever()
                }
            }
        }
        let working = Task {
            try await slots.hold(2, attempt: UUID()) {
                began.yield()
                try await Self.waitForever()
            }
        }
        for await _ in begins.prefix(2) {}
        await slots.look(at: .now + silentSince) { true }
        let third = hang(3, at: "http://c.example", in: slots, began)
        for await _ in begins.prefix(1) {}
        await slots.look(at: .now + silentSince) { true }
        #expect(await origin(of: third) == "http://c.example")
        for task in [dripping, working] {
            task.cancel()
            #expect(await origin(of: task) == nil)
        }
    }

    @Test("a compose that has given way is more patient the next time")
    func patience() async throws {
        let slots = SlotKeeper(slots: 1)
        let (begins, began) = AsyncStream.makeStream(of: Void.self)
        for turn in 0..<3 {
            let task = hang(1, at: "http://a.example", in: slots, began)
            for await _ in begins.prefix(1) {}
            let patience = SlotKeeper.patience * (1 << turn)
            await slots.look(at: .now + patience - .seconds(1)) { true }
            await slots.look(at: .now + patience + .seconds(1)) { true }
            #expect(await origin(of: task) == "http://a.example")
        }
    }

    @Test("what is silent for one compose is silent for another after a second")
    func sameOrigin() async throws {
        let slots = SlotKeeper(slots: 2)
        let (begins, began) = AsyncStream.makeStream(of: Void.self)
        let waits = SourceWaits()
        await SourceWaits.$current.withValue(waits) {
            await SourceWaits.waiting(for: "http://a.example") {
                #expect(waits.silentOrigin(since: .now - .seconds(1)) == nil)
                #expect(waits.silentOrigin(since: .now + .seconds(1)) == "http://a.example")
                SourceWaits.received(100_000)
                #expect(waits.origins == ["http://a.example"])
            }
            #expect(waits.silentOrigin(since: .now + .seconds(1)) == nil)
        }
        // Both are at the same origin, so that the patience of the first is enough.
        let first = hang(1, at: "http://a.example", in: slots, began)
        let second = hang(2, at: "http://a.example", in: slots, began)
        for await _ in begins.prefix(2) {}
        await slots.look(at: .now + silentSince) { true }
        #expect(await origin(of: second) == "http://a.example")
        first.cancel()
        #expect(await origin(of: first) == nil)
    }

    @Test("an attempt ends when it has taken as long as it may, and says so")
    func attemptLimit() async throws {
        let failure = await #expect(throws: ComposeFailure.self) {
            try await AttemptLimit(length: .milliseconds(1)).hold { try await Self.waitForever() }
        }
        #expect(failure?.code == .limitExceeded)
        #expect(failure?.message.contains("(worker.compose_seconds)") == true)
        #expect(failure?.isTransient == false)
    }
}
