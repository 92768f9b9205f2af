import ScriptedService
import Synchronization
import Testing

@testable import ComposeClient

@Suite("The pieces of an event stream")
struct StreamPiecesTests {
    /// The bytes of a stream that counts how often it was read.
    private final class Source: Sendable {
        let reads = Mutex(0)
        let most: Int

        init(most: Int) { self.most = most }

        var body: AsyncThrowingStream<[UInt8], any Error> {
            AsyncThrowingStream {
                let number = self.reads.withLock { reads in
                    reads += 1
                    return reads
                }
                return number > self.most ? nil : Array("event: log\ndata: line \(number)\n\nevent: log\ndata: more\n\n".utf8)
            }
        }
    }

    @Test("bytes are read only when the events before them were taken, and seconds do not pile up either")
    func backPressure() async throws {
        try await ScriptedService.run { service in
            let source = Source(most: 500)
            // No time passes between two seconds of this clock.
            let pieces = StreamPieces(source.body, over: try client(service, clock: StepClock()).transport)
            var (texts, taken) = ([String](), 0)
            for try await piece in pieces {
                switch piece {
                case .event(let event):
                    texts.append(event.data)
                    #expect(source.reads.withLock(\.self) == taken + 1)
                case .bytes: taken += 1
                case .second: await Task.yield()
                }
            }
            #expect(texts == (1...500).flatMap { ["line \($0)", "more"] })
            #expect(taken == 500)
        }
    }

    @Test("a stream without a reader is not read on")
    func left() async throws {
        try await ScriptedService.run { service in
            let source = Source(most: .max)
            for try await piece in StreamPieces(source.body, over: try client(service).transport) where piece != .second { break }
            let reads = source.reads.withLock(\.self)
            #expect(reads == 1)
        }
    }
}
