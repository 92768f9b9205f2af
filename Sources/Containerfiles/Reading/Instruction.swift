/// An *instruction* is one command of a Containerfile, for example `RUN dnf -y install ed`. Its
/// continuation lines are joined.
public struct Instruction: Hashable, Sendable {
    public let keyword: Keyword
    /// The first and the last line, counted from 1. Here-documents belong to the instruction.
    public let lines: ClosedRange<Int>
    public let flags: [Flag]
    /// The text after the keyword and the flags.
    public let arguments: String
    public let hereDocuments: [HereDocument]

    public var line: Int { lines.lowerBound }

    /// The elements of the JSON form, for example of `["dnf", "-y", "upgrade"]`. It is `nil` for the
    /// shell form. As in other programs, a text that is not a JSON list of texts is the shell form.
    public var elements: [String]? { JSONForm.elements(of: arguments) }

    func values(of flag: String) -> [String] {
        flags.filter { $0.name == flag }.map { $0.value ?? "" }
    }

    /// A *flag* stands between the keyword and the arguments, for example `--from=build`.
    public struct Flag: Hashable, Sendable {
        /// The name without the dashes.
        public let name: String
        /// The text after the equals sign, or `nil` if there is no such sign.
        public let value: String?

        public var text: String { value.map { "--\(name)=\($0)" } ?? "--\(name)" }
    }

    /// A *here-document* holds lines for an instruction, up to a line with its delimiter. An example is
    /// `RUN <<EOF`. Buildah knows them since 1.33.
    public struct HereDocument: Hashable, Sendable {
        public let delimiter: String
        public let lines: [String]
    }

    public enum Keyword: String, CaseIterable, Sendable {
        case add = "ADD"
        case arg = "ARG"
        case cmd = "CMD"
        case copy = "COPY"
        case entrypoint = "ENTRYPOINT"
        case env = "ENV"
        case expose = "EXPOSE"
        case from = "FROM"
        case healthcheck = "HEALTHCHECK"
        case label = "LABEL"
        case maintainer = "MAINTAINER"
        case onbuild = "ONBUILD"
        case run = "RUN"
        case shell = "SHELL"
        case stopsignal = "STOPSIGNAL"
        case user = "USER"
        case volume = "VOLUME"
        case workdir = "WORKDIR"

        /// The flags that an instruction may have. `nil` means that its text may begin with dashes.
        var flags: [String]? {
            switch self {
            case .from: ["platform"]
            case .run: ["mount", "network", "security"]
            case .copy: ["from", "chown", "chmod", "link", "parents", "exclude"]
            case .add: ["chown", "chmod", "link", "checksum", "keep-git-dir", "unpack", "exclude"]
            case .healthcheck: ["interval", "timeout", "start-period", "start-interval", "retries"]
            default: nil
            }
        }

        var takesHereDocuments: Bool { self == .run || self == .copy || self == .add }
    }
}
