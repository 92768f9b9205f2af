import ComposeModel
import ForeignText
import Hummingbird

/// The files of one compose and the streams of events, for people.
///
/// They are those of the target directories and of `/api/1/`. Those addresses read no cookies, so a
/// person who is logged in by a browser would see nothing of a private target directory there.
struct ComposeFilePages: Sendable {
    let pages: WebPages
    let composes: ComposeController
    let events: EventController

    var resources: [Resource] {
        [
            Resource("/events", [.get: .page(events.events)]),
            Resource("/compose/{id}/events", [.get: .page(events.eventsOfCompose)]),
            Resource("/compose/{id}/files", [.get: .page(serve)]), Resource("/compose/{id}/files/**", [.get: .page(serve)]),
        ]
    }

    private func serve(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.composeID()
        let compose = try await composes.compose(id, for: context.subject.sender)
        guard let root = pages.configuration.targets[compose.request.targetDir]?.path else {
            throw RequestRejection(.notFound, "This server does not have the target directory \(compose.request.targetDir.quoted).")
        }
        let names = request.uri.path.split(separator: "/").dropFirst(3)
        let files = ServedFiles(
            root: root, directory: [ComposeLayout(id: compose.resultOf).directory], compose: id,
            link: "\(pages.root)/compose/\(id)/files", pages: pages)
        var response = try await files.response(names, request, context)
        response.headers[.cacheControl] = "private, no-cache"
        return response
    }
}
