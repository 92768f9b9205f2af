import ForeignText
import Mustache

/// The templates of all pages. They are compiled once, when the frontend starts.
struct PageTemplates: Sendable {
    static let all = PageTemplates()

    private let library: MustacheLibrary

    /// The texts of the templates, by the names under which pages and other templates use them.
    static let sources: [String: [UInt8]] = [
        "admin": PackageResources.admin_mustache, "ask-again": PackageResources.ask_again_mustache,
        "build": PackageResources.build_mustache,
        "builds": PackageResources.builds_mustache, "compose": PackageResources.compose_mustache,
        "composes": PackageResources.composes_mustache, "compose-rows": PackageResources.compose_rows_mustache,
        "diff": PackageResources.diff_mustache, "directory": PackageResources.directory_mustache,
        "error": PackageResources.error_mustache, "facts": PackageResources.facts_mustache,
        "findings": PackageResources.findings_mustache,
        "home": PackageResources.home_mustache,
        "image": PackageResources.image_mustache, "images": PackageResources.images_mustache,
        "layout": PackageResources.layout_mustache, "log": PackageResources.log_mustache,
        "me": PackageResources.me_mustache,
        "package-rows": PackageResources.package_rows_mustache, "packages": PackageResources.packages_mustache,
        "pager": PackageResources.pager_mustache, "queue": PackageResources.queue_mustache,
        "rebuild": PackageResources.rebuild_mustache, "rebuilds": PackageResources.rebuilds_mustache,
        "routes": PackageResources.routes_mustache, "time": PackageResources.time_mustache,
        "tokens": PackageResources.tokens_mustache,
        "watch": PackageResources.watch_mustache, "watches": PackageResources.watches_mustache,
        "why": PackageResources.why_mustache,
    ]

    private init() {
        PageText.register()
        var library = MustacheLibrary()
        for (name, source) in Self.sources {
            do {
                // The content type escapes each value. It holds for the text of one template alone.
                try library.register("{{% CONTENT_TYPE: \(PageText.name)}}\n" + String(decoding: source, as: UTF8.self), named: name)
            } catch {
                preconditionFailure("the template \(name) is malformed: \(error)")
            }
        }
        self.library = library
    }

    /// Returns the HTML of a page. All texts of `frame` are escaped.
    func render(_ name: String, _ frame: PageFrame) -> String {
        guard let html = library.render(frame, withTemplate: name) else { preconditionFailure("there is no template \(name)") }
        return html
    }
}

/// The values of one page: those that every page has, and its own.
struct PageFrame {
    let site: Site
    let title: String
    /// The values of the page, which the template names by the names of the properties.
    let page: Any
}

/// The content type of templates: each value becomes a text of HTML in which no character shows
/// nothing.
private struct PageText: MustacheContentType {
    static let name = "PAGE"

    static func register() { MustacheContentTypes.register(PageText(), named: name) }

    func escapeText(_ text: String) -> String { text.htmlEscaped }
}

extension StringProtocol {
    /// The text, escaped for use in an element or in a quoted attribute. Invisible characters are written
    /// as their code point, for example `U+202E`.
    var htmlEscaped: String {
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            default: if scalar.isInvisible { escaped += scalar.codePoint } else { escaped.unicodeScalars.append(scalar) }
            }
        }
        return escaped
    }
}
