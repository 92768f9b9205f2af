import Foundation
import FoundationXML
import ImageModel
import Testing

@testable import ComposeFrontend

/// The drawing of the ways from packages to a request.
@Suite struct WhyGraphTests {
    private typealias Link = ComposeWhyDocument.Link

    private static func why(_ name: String, _ chains: [[Link]]) throws -> ComposeWhyDocument {
        let packages = chains.map { chain in
            """
            {"package": "\(chain[0].package)", "tree": "x86_64", "chain": [], "source": "", "checksum": "", "size": 1, "path": "", "module": null, "overruled": []}
            """
        }
        let json = "{\"compose\": 1, \"name\": \"\(name)\", \"packages\": [\(packages.joined(separator: ", "))]}"
        var document = try JSONDecoder().decode(ComposeWhyDocument.self, from: Data(json.utf8))
        for index in chains.indices { document.packages[index].chain = chains[index] }
        return document
    }

    private static let chain = [
        Link(package: "libed-1-1.x86_64", why: "required by ed-1-1.x86_64 (libed.so.1()(64bit))", kind: "requiredBy"),
        Link(package: "ed-1-1.x86_64", why: "requested by ed", kind: "requested"),
    ]

    @Test("each package is a box once, above the packages that are there for it, and the request is on top")
    func boxes() throws {
        let other =
            [Link(package: "libed-data-1-1.noarch", why: "required by libed-1-1.x86_64 (libed-data)", kind: "requiredBy")] + Self.chain
        let graph = WhyGraph(try Self.why("libed", [Self.chain, other]))
        #expect(graph.nodes.map(\.text) == ["the request", "ed-1-1.x86_64", "libed-1-1.x86_64", "libed-data-1-1.noarch"])
        #expect(graph.nodes.map(\.layer) == [0, 1, 2, 3])
        #expect(graph.edges.count == 3 && !graph.isPartial)
        #expect(
            graph.sentences == [
                "ed-1-1.x86_64 is requested by ed", "libed-1-1.x86_64 is required by ed-1-1.x86_64 (libed.so.1()(64bit))",
                "libed-data-1-1.noarch is required by libed-1-1.x86_64 (libed-data)",
            ])
        #expect(graph.svg.contains(">libed.so.1()(64bit)</text>") && graph.svg.contains(">libed-data</text>"))
    }

    @Test("the drawing is a document of XML with a title and a description, and has all names even if boxes shorten them")
    func readable() throws {
        let long = "python3-\(String(repeating: "very-", count: 20))long-1-1.noarch"
        let graph = WhyGraph(try Self.why("long", [[Link(package: long, why: "requested by long", kind: "requested")]]))
        let parser = XMLParser(data: Data(graph.svg.utf8))
        #expect(parser.parse(), "\(graph.svg)")
        #expect(graph.svg.contains("<title id=\"why-title\">Why long is in the compose</title>"))
        #expect(graph.svg.contains("<desc id=\"why-desc\">\(long) is requested by long.</desc>"))
        #expect(graph.svg.contains("<title>\(long)</title>") && graph.svg.contains("…"))
    }

    @Test("names with markup stay names, and characters that show nothing are made visible")
    func hostile() throws {
        let name = "<script>alert(1)</script>\u{202E}&\"'"
        let link = Link(package: "\(name)-1-1.noarch", why: "requested by \(name)", kind: "requested")
        var why = try Self.why("x", [[Link(package: "x-1-1.noarch", why: "requested by x", kind: "requested")]])
        why.name = name
        why.packages[0].chain = [link]
        let svg = WhyGraph(why).svg
        #expect(!svg.contains("<script>") && !svg.contains("\u{202E}") && svg.contains("U+202E"))
        #expect(XMLParser(data: Data(svg.utf8)).parse(), "\(svg)")
    }

    @Test("the tags of a package from Koji are below it, each below the one that inherits from it")
    func tags() throws {
        var why = try Self.why("libed", [Self.chain])
        why.packages[0].koji = .init(build: "libed-1-1", tags: ["f26-updates", "f26"], key: "64dab85d", otherKeys: [])
        let graph = WhyGraph(why)
        #expect(graph.nodes.map(\.text).suffix(2) == ["tag f26-updates", "tag f26"] && graph.nodes.map(\.layer).suffix(2) == [3, 4])
        #expect(
            graph.sentences.suffix(2) == [
                "libed-1-1.x86_64 is in the tag f26-updates, from the build libed-1-1, signed by 64dab85d",
                "the tag f26-updates inherits from the tag f26",
            ])
    }

    @Test("a way that ends in a lookaside repository does not lead to the request, and of many ways some are drawn")
    func limits() throws {
        let lookaside = [
            Link(package: "a-1-1.noarch", why: "required by b-1-1.noarch (a)", kind: "requiredBy"),
            Link(package: "b-1-1.noarch", why: "in the lookaside repositories", kind: "lookaside"),
        ]
        let graph = WhyGraph(try Self.why("a", [lookaside]))
        #expect(graph.nodes.map(\.text) == ["b-1-1.noarch", "a-1-1.noarch"] && graph.edges.count == 1)
        let many = (0..<100).map { [Link(package: "p\($0)-1-1.noarch", why: "requested by p*", kind: "requested")] }
        let drawn = WhyGraph(try Self.why("p*", many))
        #expect(drawn.isPartial && drawn.nodes.count == WhyGraph.mostChains + 1)
    }
}
