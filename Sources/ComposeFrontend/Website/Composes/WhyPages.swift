import ForeignText
import Hummingbird
import ImageModel
import NIOPosix

/// The page that shows why a package is in a compose. It has a drawing of the ways to the request, and
/// the same ways as lists.
struct WhyPages: Sendable {
    let pages: WebPages
    let packages: PackageController

    var resources: [Resource] { [Resource("/compose/{id}/why", [.get: .page(show)])] }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let why = try await packages.origins(request, context)
        let site = pages.site(request, context)
        let page = WhyPage(why, root: site.root)
        return pages.response(
            "why", title: "Why \(page.name) is in compose \(page.id)", page: page, request, context, site: site)
    }
}

/// The values of the page.
struct WhyPage: Sendable {
    struct Step: Sendable {
        let package: String
        let reason: String
        /// The address of the same page for this package.
        let link: String?
    }

    struct Origin: Sendable {
        let nevra: String
        let tree: String
        let source: String
        let module: String?
        /// The build, the tags and the key of a package from Koji.
        let facts: [Fact]
        let hasFacts: Bool
        let steps: [Step]
        let overruled: [String]
        /// Other builds of the package that the repositories have.
        let otherBuilds: String?
    }

    let id: Int
    let name: String
    /// The element `svg`, in which all texts are escaped.
    let drawing: String
    let isPartial: Bool
    let packages: [Origin]

    private static let mostText = 300
    private static let mostPackages = 100

    init(_ why: ComposeWhyDocument, root: String) {
        let graph = WhyGraph(why)
        id = why.compose
        name = why.name.shown(Self.mostText)
        drawing = graph.svg
        isPartial = graph.isPartial || why.packages.count > Self.mostPackages
        packages = why.packages.prefix(Self.mostPackages).map { package in
            let facts = package.koji.map(Self.facts) ?? []
            return Origin(
                nevra: package.package.shown(Self.mostText), tree: package.tree.shown(), source: package.source.shown(Self.mostText),
                module: package.module?.shown(), facts: facts, hasFacts: !facts.isEmpty,
                steps: package.chain.map { link in
                    let name = InstalledPackage(nevra: link.package, module: nil)?.name
                    return Step(
                        package: link.package.shown(Self.mostText), reason: link.why.shown(Self.mostText),
                        link: link.kind == "lookaside"
                            ? nil : name.map { "\(root)/compose/\(why.compose)/why?package=\($0.percentEncoded)" })
                }, overruled: package.overruled.map { $0.shown(Self.mostText) },
                otherBuilds: package.otherBuilds.flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ").shown(Self.mostText) })
        }
    }

    private static func facts(_ koji: ComposeWhyDocument.Koji) -> [Fact] {
        [
            Fact("Build", koji.build.shown(mostText)), koji.way.map { Fact("Tag", $0.shown(mostText)) },
            Fact("File", koji.signature.shown(mostText)),
        ].compactMap(\.self)
    }
}
