import ForeignText
import Hummingbird

/// A page for people. All pages share one style. A page loads nothing from elsewhere and has no script.
struct HTMLPage {
    let title: String
    /// The HTML of the page's body. Every text from outside must be escaped.
    let body: String

    func response(status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
            ],
            body: .init(byteBuffer: ByteBuffer(string: html)))
    }

    private var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title.htmlEscaped)</title>
        <style>
        :root { color-scheme: light dark; --line: #8884; --quiet: #8889; --accent: light-dark(#1a5fb4, #78aeed); }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.1rem; margin-top: 2rem; }
        a { color: var(--accent); }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        th { font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
        pre { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .4rem; overflow-x: auto; }
        .done { color: light-dark(#26732b, #8ff0a4); } .failed { color: light-dark(#a51d2d, #ff938c); } .removed { opacity: .6; }
        footer { margin-top: 3rem; font-size: .85rem; opacity: .7; }
        </style>
        </head>
        <body>
        \(body)
        </body>
        </html>

        """
    }
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
