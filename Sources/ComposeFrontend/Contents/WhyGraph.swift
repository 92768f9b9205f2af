import ForeignText
import ImageModel

/// A why graph draws the ways from packages to the request of their compose: the request on top, and an
/// arrow from each package to the package or request that needs it. Below a package from Koji are the
/// tags from which it comes.
///
/// The drawing can be read as text too. It has a title, and a description that lists each arrow in a
/// sentence. Names of packages come from strangers, so every text is escaped.
struct WhyGraph: Sendable {
    /// The number of ways that are drawn. The others are in the list beside the drawing.
    static let mostChains = 12

    /// A box of the drawing.
    struct Node: Hashable, Sendable {
        let text: String
        /// The number of arrows to the request. The request has 0.
        let layer: Int
        /// The place among the boxes of the layer.
        let column: Int
        /// Whether the question was about this package.
        let isAsked: Bool
    }

    /// An arrow from a package to the package or request that needs it, from a tag to the package that was
    /// taken from it, or from a tag to the tag that inherits from it.
    struct Edge: Hashable, Sendable {
        let from: Int
        let to: Int
        /// The reason in a sentence.
        let why: String
        let kind: String
    }

    let name: String
    private(set) var nodes: [Node] = []
    private(set) var edges: [Edge] = []
    /// Whether some ways are not drawn.
    let isPartial: Bool

    init(_ why: ComposeWhyDocument) {
        name = why.name
        isPartial = why.packages.count > Self.mostChains
        var places: [String: Int] = [:]
        var widths: [Int: Int] = [:]
        let asked = Set(why.packages.map(\.package))
        func node(_ text: String, _ key: String, layer: Int) -> Int {
            if let place = places[key] { return place }
            places[key] = nodes.count
            nodes.append(Node(text: text, layer: layer, column: widths[layer, default: 0], isAsked: asked.contains(text)))
            widths[layer, default: 0] += 1
            return nodes.count - 1
        }
        func connect(_ from: Int, _ to: Int, _ why: String, _ kind: String) {
            let edge = Edge(from: from, to: to, why: why, kind: kind)
            if !edges.contains(edge) { edges.append(edge) }
        }
        for package in why.packages.prefix(Self.mostChains) {
            let chain = package.chain
            // A way that ends in a lookaside repository does not lead to the request.
            let isOfRequest = chain.last?.kind != "lookaside"
            var above: Int? = isOfRequest ? node("the request", "request", layer: 0) : nil
            for (index, link) in chain.enumerated().reversed() {
                let place = node(link.package, "package \(link.package)", layer: chain.count - index)
                if let above { connect(place, above, link.why, link.kind) }
                above = place
            }
            for (index, tag) in (package.koji?.tags ?? []).enumerated() {
                let place = node("tag \(tag)", "tag \(tag)", layer: chain.count + index + 1)
                if let above, index > 0 {
                    connect(place, above, "inherits from the tag \(tag)", "inheritance")
                } else if let above, let koji = package.koji {
                    connect(place, above, "from the build \(koji.build), \(koji.signature)", "tag")
                }
                above = place
            }
        }
    }

    /// The arrows in sentences. Example: `libed-1.1-2.x86_64 is required by ed-1.20-3.x86_64 (libed.so.1)`.
    var sentences: [String] {
        edges.map { edge in
            switch edge.kind {
            case "tag": "\(nodes[edge.to].text) is in the \(nodes[edge.from].text), \(edge.why)"
            case "inheritance": "the \(nodes[edge.to].text) \(edge.why)"
            default: "\(nodes[edge.from].text) is \(Self.clause(edge))"
            }
        }
    }

    private static func clause(_ edge: Edge) -> String {
        edge.kind == "everything" ? "in the compose because \(edge.why)" : edge.why
    }

    // MARK: The drawing

    private static let box = (width: 250, height: 34)
    private static let gap = (across: 20, down: 52)
    /// The number of letters that fit into a box.
    private static let letters = 32

    /// The drawing as an element `svg` for a page of HTML. Its colors are those of the page's text.
    var svg: String {
        let layers = (nodes.map(\.layer).max() ?? 0) + 1
        let columns = Dictionary(grouping: nodes, by: \.layer).values.map(\.count).max() ?? 1
        let width = columns * (Self.box.width + Self.gap.across) + Self.gap.across
        let height = layers * (Self.box.height + Self.gap.down) + Self.gap.across * 2 - Self.gap.down
        let widths = Dictionary(grouping: nodes, by: \.layer).mapValues(\.count)
        func corner(_ node: Node) -> (x: Int, y: Int) {
            let own = (widths[node.layer] ?? 1) * (Self.box.width + Self.gap.across) + Self.gap.across
            return (
                (width - own) / 2 + Self.gap.across + node.column * (Self.box.width + Self.gap.across),
                Self.gap.across + node.layer * (Self.box.height + Self.gap.down)
            )
        }
        var parts = [
            """
            <svg class="why" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" role="img" \
            aria-labelledby="why-title why-desc" width="\(width)">
            <title id="why-title">Why \(name.htmlEscaped) is in the compose</title>
            <desc id="why-desc">\(sentences.map { "\($0.htmlEscaped)." }.joined(separator: " "))</desc>
            <defs><marker id="why-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">\
            <path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>
            """
        ]
        for edge in edges {
            let (from, to) = (corner(nodes[edge.from]), corner(nodes[edge.to]))
            let (x1, y1) = (from.x + Self.box.width / 2, from.y)
            let (x2, y2) = (to.x + Self.box.width / 2, to.y + Self.box.height)
            parts.append(
                """
                <g><title>\(Self.clause(edge).htmlEscaped)</title>\
                <line x1="\(x1)" y1="\(y1)" x2="\(x2)" y2="\(y2)" stroke="currentColor" marker-end="url(#why-arrow)"/>\
                <text x="\((x1 + x2) / 2 + 6)" y="\((y1 + y2) / 2 + 4)" font-size="11" fill="currentColor">\
                \(Self.shortened(Self.label(edge), to: Self.letters).htmlEscaped)</text></g>
                """)
        }
        for node in nodes {
            let (x, y) = corner(node)
            parts.append(
                """
                <g><title>\(node.text.htmlEscaped)</title>\
                <rect x="\(x)" y="\(y)" width="\(Self.box.width)" height="\(Self.box.height)" rx="4" fill="none" stroke="currentColor" \
                stroke-width="\(node.isAsked ? 2 : 1)"/>\
                <text x="\(x + Self.box.width / 2)" y="\(y + 21)" text-anchor="middle" font-size="12" font-family="monospace" \
                fill="currentColor">\(Self.shortened(node.text, to: Self.letters).htmlEscaped)</text></g>
                """)
        }
        return parts.joined(separator: "\n") + "\n</svg>"
    }

    /// The requirement of an arrow, or a word for its reason.
    private static func label(_ edge: Edge) -> String {
        switch edge.kind {
        case "requiredBy":
            // A requirement can have parentheses of its own, as in libed.so.1()(64bit).
            edge.why.firstRange(of: " (").map { String(edge.why[$0.upperBound...].dropLast()) } ?? "required"
        case "requested": "requested"
        case "builtFrom": "its source package is requested"
        case "module": "its module is included"
        case "everything": "everything is requested"
        case "multilib": "its 32-bit counterpart"
        case "sourceOf": "its source package"
        case "debugOf": "its debugging information"
        case "tag": "is in the tag"
        case "inheritance": "inherits"
        default: edge.kind
        }
    }

    /// Returns a text without its middle, if it is longer than `count` letters.
    private static func shortened(_ text: String, to count: Int) -> String {
        text.count <= count ? text : "\(text.prefix(count / 2 - 1))…\(text.suffix(count - count / 2))"
    }
}
