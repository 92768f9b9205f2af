import ComposeModel
import Modules

/// A *build list* is a list of builds that the Module Build Service gives in pages, the newest build
/// first.
struct ModuleBuildList: Sendable {
    /// The parameters of the query. Example: `nsvc=ruby:2.5&state=5&verbose=True`. `state` may occur more
    /// than once.
    ///
    /// The pages' addresses are made here and not taken from the answers. The links in the answers drop all
    /// states but one, and have the host name that the service gives itself.
    let query: [(name: String, value: String)]
    let pageSize: Int
    /// The maximum number of pages to read.
    let pages: Int
    /// The number of builds after which reading ends. If it is set, a list with more than ``pages`` pages
    /// is cut without an error. `nil` if all builds are wanted.
    var enough: Int?

    private struct Page: Decodable {
        struct Meta: Decodable {
            let total: Int
        }
        let items: [ModuleBuildRecord]
        let meta: Meta
    }

    /// The number of times that a list is read if it changes while it is read.
    private static let readings = 3

    /// Returns the builds of the list. Reads page after page, until `suffices` says that no more builds are
    /// needed.
    ///
    /// Throws `.sourceChanging` (transient) if the list changed each time while it was read. Throws
    /// `.limitExceeded` if all builds are wanted and the list has more pages than ``pages``.
    func read(
        from connection: WebServiceConnection, until suffices: ([ModuleBuildRecord]) -> Bool = { _ in false }
    ) async throws(ComposeFailure) -> [ModuleBuildRecord] {
        var short: [Int]?
        for _ in 0..<Self.readings {
            switch try await reading(connection, until: suffices) {
            case .complete(let found): return found
            // Two equal readings show that nothing changed. The service counts a build once for each base module
            // that it was made against, but lists it once.
            case .short(let found) where found.map(\.number) == short: return found
            case .short(let found): short = found.map(\.number)
            case .changed: short = nil
            }
        }
        throw ComposeFailure(
            .sourceChanging,
            "The list of modules of \(connection.service.name) changed each time while it was read; try again later.", isTransient: true)
    }

    private enum Reading {
        case complete([ModuleBuildRecord])
        /// The list ended before it had as many builds as it announced.
        case short([ModuleBuildRecord])
        /// The pages do not fit together.
        case changed
    }

    private func reading(
        _ connection: WebServiceConnection, until suffices: ([ModuleBuildRecord]) -> Bool
    ) async throws(ComposeFailure) -> Reading {
        var found: [ModuleBuildRecord] = []
        var numbers: Set<Int> = []
        var total: Int?
        for number in 1...max(1, pages) {
            let page = try await connection.decode(
                Page.self,
                from: WebServiceQuestion(
                    "module-builds/", query: query + [("per_page", String(pageSize)), ("page", String(number))]))
            guard page.meta.total >= 0 else {
                throw connection.service.senseless("it says that there are \(page.meta.total) builds of modules")
            }
            guard total == nil || total == page.meta.total else { return .changed }
            total = page.meta.total
            numbers.formUnion(page.items.map(\.number))
            found += page.items
            // If a build occurs twice, an entry moved from one page to the next.
            guard numbers.count == found.count, found.count <= page.meta.total else { return .changed }
            if found.count == page.meta.total || found.count >= enough ?? .max || suffices(found) { return .complete(found) }
            if page.items.isEmpty { return found.isEmpty ? .changed : .short(found) }
        }
        if enough != nil { return .complete(found) }
        throw ComposeFailure(
            .limitExceeded,
            "\(connection.service.subject) lists \(total ?? 0) builds of modules for one question, more than the \(pages) pages of \(pageSize) "
                + "that this service reads. A version that is named, as in NAME:STREAM:VERSION, makes the list shorter.")
    }
}
