import ForeignText
import ImageModel

extension ImageProof {
    /// The proof for people. Texts of the registry are made printable.
    var text: String {
        var rows: [(String, String)] = [("image", image), ("digest", digest.description)]
        if let build, let builder {
            rows += [("built by", "\(builder), build \(build)"), ("signature", signatureText)]
        }
        for cause in causes.prefix(Self.mostShown) {
            let names = [cause.advisory].compactMap(\.self) + cause.cves
            rows.append(("because of", "compose \(cause.compose)\(names.isEmpty ? "" : ": \(names.joined(separator: ", "))")"))
        }
        for dependency in dependencies.prefix(Self.mostShown) {
            let digest = dependency.digest?.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ")
            rows.append(("made from", [dependency.name, dependency.uri, digest].compactMap(\.self).joined(separator: " ")))
        }
        if dependencies.count > Self.mostShown { rows.append(("made from", "… and \(dependencies.count - Self.mostShown) more")) }
        for record in platforms {
            let place = [record.node.map { "node \($0)" }, record.isolation].compactMap(\.self)
            let packages = record.packages.map { $0 == 1 ? "1 package" : "\($0) packages" } ?? "no SBOM"
            rows.append((record.platform, "\(record.digest), \((place + [packages]).joined(separator: ", "))"))
        }
        let table = Table(rows: rows.map { [$0.0.printable(), $0.1.printable()] }).text()
        return ([table] + (problems.isEmpty ? ["The image is as the statement says."] : problems.map { $0.printable() }))
            .joined(separator: "\n")
    }

    /// A statement that anyone has written may have any number of them. `--json` prints all.
    private static let mostShown = 100

    private var signatureText: String {
        switch signature {
        case .none: "none"
        case .verified: "by the key"
        case .unchecked: "not checked; name the key of the service with --key"
        }
    }
}
