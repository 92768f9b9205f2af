import ComposeModel

/// The page at `GET /`. It describes the service and its use, and lists the newest composes.
struct HomePage {
    let composes: [ComposeDocument]
    let total: Int
    /// The address of the service, without a slash at the end.
    let base: String
    /// The prefix of links on the page: the path of `base`.
    let path: String
    let version: String

    var page: HTMLPage {
        HTMLPage(
            title: "ODCS – composes on demand",
            body: """
                <h1>ODCS – composes on demand</h1>
                <p>This service makes temporary RPM repositories to order: name a source and some packages, and get a repository from which
                they can be installed, with what they need. It lives for a while, and then it is removed.</p>
                <h2>Ask for one</h2>
                <pre>\(example.htmlEscaped)</pre>
                <p>The answer says under which id the compose is known and where its repository will be; it is there once
                <code>state_name</code> is <code>done</code>. When it failed, <code>state_reason</code> says why.</p>
                <ul>
                <li><a href="\(path.htmlEscaped)/api/1/composes/">/api/1/composes/</a> – all composes, as JSON; filters such as <code>?state=done&amp;owner=me</code></li>
                <li><a href="\(path.htmlEscaped)/api/1/watches/">/api/1/watches/</a> – Koji tags that are composed again whenever their packages change</li>
                <li><a href="\(path.htmlEscaped)/api/1/">/api/1/</a> – every route, for programs as OpenAPI 3.1</li>
                <li><a href="\(path.htmlEscaped)/api/1/about/">/api/1/about/</a> – what this server can compose from, and its limits</li>
                <li><a href="\(path.htmlEscaped)/api/1/metrics/">/api/1/metrics/</a> – numbers for Prometheus</li>
                </ul>
                <h2>The newest of \(total) compose\(total == 1 ? "" : "s")</h2>
                \(table)
                <footer>ODCS \(version.htmlEscaped)</footer>
                """)
    }

    private var example: String {
        """
        curl -X POST \(base)/api/1/composes/ -d '{
            "source": {"type": "repo", "source": "https://example.com/repo/", "packages": ["ed"]}
        }'
        """
    }

    private var table: String {
        guard !composes.isEmpty else { return "<p>There are none yet.</p>" }
        let rows = composes.map { compose in
            let source = "\(SourceType(rawValue: compose.sourceType)?.name ?? "") \(compose.source)"
            let isThere = compose.stateName == ComposeState.done.name
            let link = isThere ? "<a href=\"\(compose.toplevelURL.htmlEscaped)/\">files</a>" : ""
            return """
                <tr><td><a href="\(path.htmlEscaped)/api/1/composes/\(compose.id)">\(compose.id)</a></td>
                <td class="\(compose.stateName.htmlEscaped)">\(compose.stateName.htmlEscaped)</td>
                <td>\(source.shortened(80).htmlEscaped)</td><td>\((compose.packages ?? "everything").shortened(80).htmlEscaped)</td>
                <td>\(compose.owner.htmlEscaped)</td><td>\(compose.timeSubmitted.htmlEscaped)</td><td>\(link)</td></tr>
                """
        }
        return """
            <table>
            <tr><th>Id</th><th>State</th><th>Source</th><th>Packages</th><th>Owner</th><th>Submitted</th><th></th></tr>
            \(rows.joined(separator: "\n"))
            </table>
            """
    }
}

extension String {
    fileprivate func shortened(_ length: Int) -> String {
        count > length ? prefix(length - 1) + "…" : self
    }
}
