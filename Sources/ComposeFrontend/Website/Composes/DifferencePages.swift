import ForeignText
import Hummingbird
import ImageModel

/// The page of the changes between two composes.
struct DifferencePages: Sendable {
    let pages: WebPages
    let packages: PackageController

    var resources: [Resource] { [Resource("/diff", [.get: .page(show)])] }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let items = try QueryItems(request.uri.query).items.filter { !$0.value.isEmpty }
        let from = items.last { $0.key == "from" }?.value ?? ""
        let to = items.last { $0.key == "to" }?.value ?? ""
        var page = DifferencePage(from: from.shown(20), to: to.shown(20))
        if !from.isEmpty, !to.isEmpty {
            page.difference = .init(try await packages.differenceDocument(request, context))
        }
        let title = page.difference.map { "Changes from compose \($0.from) to \($0.to)" } ?? "Changes between composes"
        return pages.response("diff", title: title, page: page, request, context)
    }
}

/// The changes between two composes, or the form that asks for them.
struct DifferencePage: Sendable {
    struct PinRow: Sendable {
        let source, before, after: String
    }

    struct Row: Sendable {
        let name, kind, before, after, cause: String

        fileprivate init(_ change: ComposeDifferenceDocument.Change, _ kind: String) {
            name = (change.module.map { "\(change.name).\(change.arch) (\($0))" } ?? "\(change.name).\(change.arch)").shown(300)
            self.kind = kind
            before = change.before.joined(separator: ", ").shown(300)
            after = change.after.joined(separator: ", ").shown(300)
            cause = change.cause.shown(400)
        }
    }

    struct TreeRows: Sendable {
        let tree, caption: String
        let rows: [Row]
        let more: String?

        private static let most = 500

        fileprivate init(_ tree: ComposeDifferenceDocument.Tree) {
            self.tree = tree.tree.shown(60)
            let kinds = [
                ("added", tree.added), ("removed", tree.removed), ("upgraded", tree.upgraded), ("downgraded", tree.downgraded),
                ("other build", tree.other),
            ]
            caption = kinds.filter { !$1.isEmpty }.map { "\($1.count) \($0)" }.joined(separator: ", ")
            let all = kinds.reduce(0) { $0 + $1.1.count }
            rows = Array(kinds.lazy.flatMap { kind, changes in changes.lazy.map { Row($0, kind) } }.prefix(Self.most))
            more = all > rows.count ? "and \(all - rows.count) more, which the API has" : nil
        }
    }

    struct Difference: Sendable {
        let from, to: Int
        let summary: String
        let otherRequest, hasPins: Bool
        let pinsCaption: String
        let pins: [PinRow]
        let trees: [TreeRows]

        init(_ document: ComposeDifferenceDocument) {
            (from, to) = (document.from, document.to)
            otherRequest = document.isOtherRequest
            pins = document.pins.prefix(100).map {
                PinRow(source: $0.input.shown(500), before: $0.from?.shown(100) ?? "absent", after: $0.to?.shown(100) ?? "absent")
            }
            hasPins = !pins.isEmpty
            pinsCaption = ShownNumber.count(document.pins.count, "source") + " with another state"
            trees = document.trees.map(TreeRows.init)
            let changes = document.trees.reduce(0) {
                $0 + $1.added.count + $1.removed.count + $1.upgraded.count + $1.downgraded.count + $1.other.count
            }
            summary = changes == 0 ? "they have the same packages." : ShownNumber.count(changes, "change") + "."
        }
    }

    let from, to: String
    var difference: Difference?
}
