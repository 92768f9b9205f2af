import Hummingbird
import NIOConcurrencyHelpers

/// What goes along with one request.
struct FrontendContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let subject = RequestSubject()

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }

    /// The compose that the path names.
    ///
    /// - Throws: 404: what is no number is the name of no compose.
    func composeID() throws(RequestRejection) -> Int {
        let text = parameters.get("id") ?? ""
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let id = Int(text) else {
            throw .noSuchCompose(text)
        }
        subject.composeID = id
        return id
    }
}

/// The compose that a request turned out to be about; shared with the log line that is written at its end.
final class RequestSubject: Sendable {
    private let id = NIOLockedValueBox<Int?>(nil)

    var composeID: Int? {
        get { id.withLockedValue { $0 } }
        set { id.withLockedValue { $0 = newValue } }
    }
}
