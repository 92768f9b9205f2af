import Retries
import Testing

@Suite struct LongSleepTests {
    @Test("a long sleep ends with its time, or at once when its task is canceled")
    func ends() async throws {
        let start = ContinuousClock.now
        try await longSleep(for: .milliseconds(20))
        #expect(ContinuousClock.now - start >= .milliseconds(20))

        let sleeper = Task { try await longSleep(for: .seconds(1_000_000)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }
}
