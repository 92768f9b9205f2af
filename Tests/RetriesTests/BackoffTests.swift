import Retries
import Testing

@Suite("Backoff")
struct BackoffTests {
    private let backoff = Backoff(first: .seconds(1), longest: .seconds(5))

    @Test("pauses double up to the longest")
    func doubling() {
        #expect((1...5).map(backoff.ceiling) == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
        #expect(backoff.ceiling(after: .max) == .seconds(5))
    }

    @Test("pauses grow by another factor")
    func factor() {
        let backoff = Backoff(first: .seconds(4), longest: .seconds(7), factor: 1.5)
        #expect((1...3).map(backoff.ceiling) == [.seconds(4), .seconds(6), .seconds(7)])
    }

    @Test("even the first pause is no longer than the longest")
    func longFirst() {
        let backoff = Backoff(first: .seconds(9), longest: .seconds(7))
        #expect((1...2).map(backoff.ceiling) == [.seconds(7), .seconds(7)])
    }

    @Test("a pause is between a half of the ceiling and all of it", arguments: [1, 2, 3, 4, 100])
    func jitter(attempt: Int) {
        let ceiling = backoff.ceiling(after: attempt)
        let pauses = (0..<200).map { _ in backoff.pause(after: attempt) }
        #expect(pauses.allSatisfy { $0 >= ceiling / 2 && $0 <= ceiling })
        #expect(Set(pauses).count > 1)
    }

    @Test("a pause that the server asks for is kept, up to the longest")
    func asked() {
        #expect(backoff.pause(after: 1, atLeast: .seconds(3)) == .seconds(3))
        #expect(backoff.pause(after: 1, atLeast: .seconds(3600)) == .seconds(5))
        #expect(backoff.pause(after: 3, atLeast: .seconds(1)) >= .seconds(2))
    }
}

@Suite("Retry-After")
struct RetryAfterTests {
    @Test("seconds")
    func seconds() {
        #expect(RetryAfter.pause("120") == .seconds(120))
        #expect(RetryAfter.pause("0") == .zero)
    }

    @Test(
        "anything else asks for no pause",
        arguments: ["", " ", "-5", "+5", "soon", "1.5", "99999999999999999999", "٣", "Fri, 31 Dec 1999 23:59:59 GMT"])
    func nonsense(value: String) {
        #expect(RetryAfter.pause(value) == nil)
    }
}

@Suite("Durations in words")
struct DurationInWordsTests {
    @Test(
        "whole seconds and fractions",
        arguments: [
            (.seconds(10), "10 seconds"), (.seconds(1), "1 second"), (.milliseconds(250), "0.25 seconds"),
            (.milliseconds(1500), "1.5 seconds"),
            (.zero, "0 seconds"),
        ] as [(Duration, String)])
    func words(duration: Duration, words: String) {
        #expect(duration.inWords == words)
    }
}
