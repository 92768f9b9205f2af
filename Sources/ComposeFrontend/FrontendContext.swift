import Hummingbird
import NIOConcurrencyHelpers
import NIOCore

/// What goes along with one request.
struct FrontendContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let subject = RequestSubject()
    /// The other end of the connection; `nil` if there is none, as in some tests.
    let peer: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress
    }

    /// The compose that the path names.
    ///
    /// - Throws: 404: what is no number is the name of no compose.
    func composeID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchCompose(text) }
        subject.composeID = id
        return id
    }

    /// The watch that the path names.
    ///
    /// - Throws: 404: what is no number is the name of no watch.
    func watchID() throws(RequestRejection) -> Int {
        let (text, id) = number
        guard let id else { throw .noSuchWatch(text) }
        subject.watchID = id
        return id
    }

    /// What stands in the place of the path's `{id}`, and the number that it is.
    private var number: (text: String, id: Int?) {
        let text = parameters.get("id") ?? ""
        let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return (text, isNumber ? Int(text) : nil)
    }
}

/// The compose or the watch that a request turned out to be about; shared with the log line that is written at its end.
final class RequestSubject: Sendable {
    private let compose = NIOLockedValueBox<Int?>(nil)
    private let watch = NIOLockedValueBox<Int?>(nil)

    var composeID: Int? {
        get { compose.withLockedValue { $0 } }
        set { compose.withLockedValue { $0 = newValue } }
    }

    var watchID: Int? {
        get { watch.withLockedValue { $0 } }
        set { watch.withLockedValue { $0 = newValue } }
    }
}
