/// A stream piece is what a reader of an event stream learns at one moment.
enum StreamPiece: Hashable, Sendable {
    /// Bytes have come, so nothing before the service keeps the stream back. The events that they complete
    /// come before this piece.
    case bytes
    case event(ServerSentEvent)
    /// A second has passed.
    case second
}

/// The *stream pieces* of an event stream, in their order.
///
/// Bytes are read when the pieces of the bytes before them have been taken. So a reader that is slow,
/// for example because its terminal is stopped, holds the service back, and nothing piles up here.
struct StreamPieces: AsyncSequence, Sendable {
    private let pieces: AsyncThrowingStream<StreamPiece, any Error>
    private let bytesTaken: AsyncStream<Void>.Continuation
    private let secondTaken: AsyncStream<Void>.Continuation

    /// Begins to read a stream.
    ///
    /// - Parameter body: The bytes of the stream.
    init<Body: AsyncSequence & Sendable>(_ body: Body, over transport: Transport) where Body.Element: Collection<UInt8> {
        let (pieces, piece) = AsyncThrowingStream.makeStream(of: StreamPiece.self)
        let (takenBytes, bytesTaken) = AsyncStream.makeStream(of: Void.self)
        let (takenSeconds, secondTaken) = AsyncStream.makeStream(of: Void.self)
        let reading = Task {
            do {
                var parser = EventStreamParser()
                var (buffers, taken) = (body.makeAsyncIterator(), takenBytes.makeAsyncIterator())
                while let bytes = try await transport.reading({ try await buffers.next() }) {
                    for event in try parser.take(bytes) { piece.yield(.event(event)) }
                    piece.yield(.bytes)
                    // It ends when the stream has no reader any more.
                    guard await taken.next() != nil else { return }
                }
                piece.finish()
            } catch is EventStreamParser.TooLarge {
                piece.finish(
                    throwing: ComposeClientError(.notTheService, "\(transport.server) sent more than \(Transport.largestAnswer >> 20) MiB"))
            } catch {
                piece.finish(throwing: error)
            }
        }
        let ticking = Task {
            var taken = takenSeconds.makeAsyncIterator()
            // A canceled sleep means that the stream has no reader any more.
            while (try? await transport.clock.sleep(for: .seconds(1))) != nil {
                piece.yield(.second)
                guard await taken.next() != nil else { return }
            }
        }
        piece.onTermination = { _ in
            reading.cancel()
            ticking.cancel()
        }
        self.pieces = pieces
        self.bytesTaken = bytesTaken
        self.secondTaken = secondTaken
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: pieces.makeAsyncIterator(), bytesTaken: bytesTaken, secondTaken: secondTaken)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var pieces: AsyncThrowingStream<StreamPiece, any Error>.Iterator
        fileprivate let bytesTaken: AsyncStream<Void>.Continuation
        fileprivate let secondTaken: AsyncStream<Void>.Continuation

        mutating func next() async throws -> StreamPiece? {
            let piece = try await pieces.next()
            switch piece {
            case .bytes: bytesTaken.yield()
            case .second: secondTaken.yield()
            case .event, nil: break
            }
            return piece
        }
    }
}
