import Testing

@testable import Deliveries

/// When a sequencer rests.
@Suite struct SequencingPaceTests {
    @Test("a few turns follow each other at once, further ones come after a rest, and after some quiet they follow at once again")
    func paces() {
        let start = ContinuousClock.now
        var pace = SequencingPace(at: start)
        let first = (0..<20).map { _ in pace.takeTurn(at: start) }
        #expect(first.allSatisfy { $0 == .zero })
        var now = start
        for _ in 0..<100 {
            let rest = pace.takeTurn(at: now)
            #expect(rest == SequencingPace.rest)
            now += rest
        }
        now += .seconds(1)
        #expect((0..<20).map { _ in pace.takeTurn(at: now) }.allSatisfy { $0 == .zero })
        #expect(pace.takeTurn(at: now) == SequencingPace.rest)
    }

    @Test("events that come slower than the rests are numbered at once for ever")
    func slow() {
        var now = ContinuousClock.now
        var pace = SequencingPace(at: now)
        for _ in 0..<1000 {
            now += .milliseconds(12)
            #expect(pace.takeTurn(at: now) == .zero)
        }
    }
}
