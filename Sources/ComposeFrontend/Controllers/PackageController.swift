import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird
import ImageModel
import NIOPosix

/// The handlers of `/api/1/composes/{id}/why`, `…/why-not` and `/api/1/diff`: the way by which a
/// package came into a compose, the causes that another one did not, and the difference between two
/// composes.
struct PackageController: Sendable {
    private let composes: ComposeController
    private let lists: PackageLists
    /// A comparison reads all packages of two composes, so few are made at the same time.
    private let comparisons = Places(most: 1, "Other composes are being compared")

    init(composes: ComposeController, lists: PackageLists) {
        self.composes = composes
        self.lists = lists
    }

    var resources: [Resource] {
        [
            Resource("/api/1/composes/{id}/why", [.get: .open(why)]),
            Resource("/api/1/composes/{id}/why-not", [.get: .open(whyNot)]),
            Resource("/api/1/diff", [.get: .open(difference)]),
        ]
    }

    private func why(_ request: Request, _ context: FrontendContext) async throws -> Response {
        try .json(try await origins(request, context))
    }

    /// Returns why the package that the query names is in the compose that the path names.
    func origins(_ request: Request, _ context: FrontendContext) async throws -> ComposeWhyDocument {
        let compose = try await composes.compose(try context.composeID(), for: context.subject.sender)
        let name = try Self.packageName(in: request)
        let list = try await lists.list(of: compose)
        let packages = try await NIOThreadPool.singleton.runIfActive {
            let packages = try list.origins(ofPackagesNamed: name)
            guard !packages.isEmpty else { throw RequestRejection(.notFound, Self.absence(of: name, from: list, compose.id)) }
            return packages
        }
        return ComposeWhyDocument(compose: compose.id, name: name, packages: packages)
    }

    /// The length of the longest name that is looked for, in bytes.
    private static let longestName = 300

    private static func packageName(in request: Request) throws -> String {
        let items = try QueryItems(request.uri.query).items
        guard let name = items.last(where: { $0.key == "package" && !$0.value.isEmpty })?.value else {
            throw RequestRejection.badRequest("package is missing. It must be the name of a package, such as openssl-libs.")
        }
        guard name.utf8.count <= longestName else {
            throw RequestRejection.badRequest("package has \(name.utf8.count) bytes. No name has more than \(longestName).")
        }
        return name
    }

    /// Answers why a package is not in a compose. If the compose's list has the package in all trees, the
    /// list answers. Otherwise a worker looks into the sources.
    private func whyNot(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let compose = try await composes.compose(try context.composeID(), for: context.subject.sender)
        let name = try Self.packageName(in: request)
        guard compose.request.sourceType.traits.writesOwnTree else {
            throw RequestRejection.badRequest(
                "The source type \(compose.request.sourceType.name) has no answer, because ODCS does not choose its packages.")
        }
        guard compose.state.isFinal else {
            throw RequestRejection(
                .notFound, "Compose \(compose.id) is \(compose.state.name). Its packages are chosen when it is done or has failed.")
        }
        if let document = try await inclusion(of: name, in: compose) { return try .json(document) }
        let subject = Question.Subject.absence(compose: compose.id, package: name)
        let answer = try await composes.answer(to: subject, of: compose.request, request, context)
        // A worker of an older version takes every question for a dry run, so its answer is another document.
        guard let document = try? JSONDecoder().decode(ComposeWhyNotDocument.self, from: Data(answer.utf8)) else {
            throw RequestRejection(
                .serviceUnavailable, "A worker of an older version has answered, which does not know this question. Try again.",
                headers: [.retryAfter: "2"])
        }
        return try .json(document)
    }

    /// Returns the answer for a package that is in all trees of binary packages, with packages of the same
    /// name and version that were not taken. Returns `nil` for any other package, and if the compose has no
    /// list.
    private func inclusion(of name: String, in compose: Compose) async throws -> ComposeWhyNotDocument? {
        guard compose.state == .done else { return nil }
        let list: PackageList
        do {
            list = try await lists.list(of: compose)
        } catch is RequestRejection {
            return nil
        }
        let packages = try await NIOThreadPool.singleton.runIfActive { try list.packages(named: name).filter { $0.tree != "source" } }
        guard !packages.isEmpty, Set(packages.map(\.tree)).count == compose.request.arches.count else { return nil }
        let names = packages.map(\.nevra).uniqued()
        let text = "\(names.joined(separator: ", ")) \(names.count == 1 ? "is" : "are") in the compose."
        typealias Verdict = ComposeWhyNotDocument.Verdict
        let overruled = packages.flatMap { package in
            list.overruled(by: package).map { Verdict(.overruled, "\($0).", packages: [package.nevra]) }
        }
        let older = packages.flatMap { package in
            list.older(than: package).map {
                Verdict(.older, "\($0) is older than \(package.nevra), which was chosen.", packages: [$0])
            }
        }
        return ComposeWhyNotDocument(
            compose: compose.id, name: name,
            verdicts: [.init(.included, text, packages: names)] + older.uniqued() + overruled.uniqued())
    }

    private static func absence(of name: String, from list: PackageList, _ compose: Int) -> String {
        let most = min(3, name.count / 2)
        let similar = list.names.filter { $0.utf8.first == name.utf8.first && abs($0.utf8.count - name.utf8.count) <= most }
        let nearest = NearestNames(names: similar.sorted()).nearest(to: name, within: most)
        let hint = nearest.map { " The nearest name is \($0.quoted)." } ?? ""
        return "Compose \(compose) has no package \(name.quoted) among its \(list.count).\(hint)"
    }

    private func difference(_ request: Request, _ context: FrontendContext) async throws -> Response {
        try .json(try await differenceDocument(request, context))
    }

    /// Compares the composes that the query names as `from` and `to`.
    func differenceDocument(_ request: Request, _ context: FrontendContext) async throws -> ComposeDifferenceDocument {
        let items = try QueryItems(request.uri.query).items
        func compose(_ key: String) async throws -> Compose {
            guard let text = items.last(where: { $0.key == key && !$0.value.isEmpty })?.value else {
                throw RequestRejection.badRequest("\(key) is missing. It must be the number of a compose, as in from=7&to=9.")
            }
            return try await composes.compose(try QueryItems.number(text, key, from: 1), for: context.subject.sender)
        }
        let (first, second) = (try await compose("from"), try await compose("to"))
        return try await comparisons.with {
            let (from, to) = (try await lists.list(of: first), try await lists.list(of: second))
            return try await NIOThreadPool.singleton.runIfActive {
                let difference = PackageListDifference(from: from, to: to)
                return ComposeDifferenceDocument(
                    from: first.id, to: second.id, pins: difference.pins, isOtherRequest: difference.isOtherRequest,
                    trees: try difference.trees())
            }
        }
    }
}
