import Identity
import Testing

struct LogPaceTests {
    @Test func `one failure of each kind is logged in a minute, and the others are counted`() {
        let pace = LogPace()
        let start = ContinuousClock.now
        #expect(pace.next("ticket", at: start) == 0)
        for second in 1...59 { #expect(pace.next("ticket", at: start + .seconds(second)) == nil) }
        #expect(pace.next("clock", at: start + .seconds(59)) == 0)
        #expect(pace.next("ticket", at: start + .seconds(60)) == 59)
        #expect(pace.next("ticket", at: start + .seconds(61)) == nil)
    }
}
