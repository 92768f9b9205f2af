public import ImageModel

/// A *component Containerfile* is the Containerfile that builds a component. Its last stage begins with
/// `scratch`, so the image has one layer: the files of the component.
public enum ComponentContainerfile {
    /// The folder of the context that has the files of the repository or of the archive.
    public static let source = "source"
    /// The folders of the build, in the environment.
    private static let (buildFolder, dependencyFolder) = ("/build", "/dependencies")

    /// Returns the Containerfile for a repository.
    ///
    /// Each RUN of the build sees the repository in `/build/COMPONENT`, where it starts, and each
    /// dependency in `/dependencies/NAME`.
    ///
    /// - Parameters:
    ///   - component: The name of the component, which is a path component of letters, digits, `.`, `_` and
    ///     `-`.
    ///   - environment: The image in which the commands run.
    ///   - dependencies: The images of the dependencies, with their names.
    public static func text(
        _ instructions: ComponentInstructions, component: String, environment: ImageReference,
        dependencies: [(name: String, image: ImageReference)]
    ) -> String {
        let top = "\(buildFolder)/\(component)"
        var lines = ["FROM \(environment) AS build", "WORKDIR \(top)", "COPY \(source)/ \(top)/"]
        for (name, image) in dependencies { lines.append("COPY --from=\(image) / \(dependencyFolder)/\(name)/") }
        if let command = instructions.command { lines.append("RUN \(json(["/bin/sh", "-e", "-c", command]))") }
        lines.append("FROM scratch")
        if instructions.artifacts.isEmpty {
            lines.append("COPY --from=build \(top)/ /")
        } else {
            for artifact in instructions.artifacts {
                // The path "." means all files.
                lines.append(artifact.isEmpty ? "COPY --from=build \(top)/ /" : "COPY --from=build \(top)/\(artifact) /\(artifact)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The Containerfile for an archive that was uploaded.
    public static let ofArchive = "FROM scratch\nCOPY \(source)/ /\n"

    /// Returns a list of texts as JSON on one line.
    private static func json(_ texts: [String]) -> String {
        let elements = texts.map { text in
            let characters = text.unicodeScalars.map { scalar -> String in
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "\n": "\\n"
                case "\t": "\\t"
                // A line of a Containerfile ends at other characters too.
                case _
                where scalar.value < 0x20 || scalar.value == 0x7F || (0x80...0x9F).contains(scalar.value)
                    || scalar == "\u{2028}" || scalar == "\u{2029}":
                    "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count) + String(scalar.value, radix: 16)
                default: String(scalar)
                }
            }
            return "\"\(characters.joined())\""
        }
        return "[\(elements.joined(separator: ", "))]"
    }
}
