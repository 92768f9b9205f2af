import ComposeModel
import Modules

/// A list of builds of the Module Build Service, which gives it in pages, the newest first.
struct ModuleBuildList: Sendable {
    /// What is listed: the parameters of the query, of which `state` may be there more than once.
    ///
    /// The addresses of the pages are made here, not taken from the answers: the links in them drop all states but one, and lead to whatever host
    /// the service believes to be.
    let query: [(name: String, value: String)]
    let pageSize: Int
    /// That many pages are read.
    let pages: Int
    /// So many builds are enough, and then no number of pages is too many; `nil`: all are wanted.
    var enough: Int?

    private struct Page: Decodable {
        struct Meta: Decodable {
            let total: Int
        }
        let items: [ModuleBuildRecord]
        let meta: Meta
    }

    /// How often a list that changes while it is read is read anew.
    private static let readings = 3

    /// What is listed, page after page, until `suffices` says that no more is needed.
    func read(
        from connection: WebServiceConnection, until suffices: ([ModuleBuildRecord]) -> Bool = { _ in false }
    ) async throws(ComposeFailure) -> [ModuleBuildRecord] {
        var short: [Int]?
        for _ in 0..<Self.readings {
            switch try await reading(connection, until: suffices) {
            case .complete(let found): return found
            // The same twice is no change: a build is counted for each base module that it was made against, and listed once.
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
        /// It ended before there were as many as it said.
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
            // The same build twice: something moved from one page to the next.
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
