import ForeignText
import Foundation
import ImageModel
public import SystemPackage

/// *Generation settings* are the values of all variables and options for one run of `odcs image
/// generate`.
public struct GenerationSettings: Sendable {
    /// Labels of this host, for example `host=rhel`.
    public var labels: [String: String]
    public var failsOnUnbuildable: Bool
    public var onlyHostPlatform: Bool
    public var isBuilderMode: Bool
    public var hasLatestTag: Bool
    public var program: String
    public var builderTag: String
    public var extraPushArguments: String
    public var registry: String
    /// The folder that is copied to `/scripts`, as an absolute path.
    public var extraScripts: String?
    public var dateTag: String?
    /// The value of each parameter that has one. Folders are absolute paths.
    public let parameters: [Parameter: String]
    /// The environment variable of each parameter, by the parameter's name.
    private let names: [String: String]

    /// The options of the command line. An option counts more than its variable.
    public struct Options: Sendable {
        public var failsOnUnbuildable = false
        public var onlyHostPlatform = false
        public var isBuilderMode = false
        public var hasNoLatestTag = false
        public var registry: String?
        public var extraScripts: String?
        public var dateTag: String?

        public init() {}
    }

    /// - Parameters:
    ///   - directory: The folder that relative paths are relative to.
    ///   - release: The text of `/etc/redhat-release`, or `nil` if there is no such file.
    /// - Throws: ``InventoryProblem`` that names the variable with a wrong value.
    public init(
        _ inventory: Inventory, environment: [String: String], options: Options = Options(), directory: FilePath, release: String? = nil
    ) throws(InventoryProblem) {
        let given = environment.filter { !$0.value.isEmpty }
        func text(_ variable: BuiltInVariable) -> String? { given[variable.rawValue] }
        func flag(_ variable: BuiltInVariable) throws(InventoryProblem) -> Bool? {
            guard let text = text(variable) else { return nil }
            guard text == "Y" || text == "N" else {
                throw InventoryProblem(file: variable.rawValue, "must be Y or N, not \(text.quoted)")
            }
            return text == "Y"
        }
        let isRHEL = try flag(.onRHEL) ?? release?.contains("Red Hat Enterprise Linux") ?? false
        labels = isRHEL ? ["host": "rhel"] : [:]
        failsOnUnbuildable = try flag(.failOnUnbuildable) == true || options.failsOnUnbuildable
        onlyHostPlatform = try flag(.onlyHostArchitecture) == true || options.onlyHostPlatform
        isBuilderMode = try flag(.builderMode) == true || options.isBuilderMode
        hasLatestTag = try flag(.noLatestTag) != true && !options.hasNoLatestTag
        program = text(.builderProgram) ?? BuiltInVariable.builderProgram.defaultText
        builderTag = text(.builderTag) ?? BuiltInVariable.builderTag.defaultText
        extraPushArguments = text(.extraPushArguments) ?? ""
        registry = options.registry ?? text(.registry) ?? BuiltInVariable.registry.defaultText
        dateTag = options.dateTag ?? text(.dateTag)
        extraScripts = try (options.extraScripts ?? text(.extraScripts)).map { path throws(InventoryProblem) in
            try Self.folder(path, of: BuiltInVariable.extraScripts.rawValue, in: directory)
        }
        if (try? ImageReference("\(registry)/x")) == nil {
            throw InventoryProblem(
                file: BuiltInVariable.registry.rawValue, "\(registry.quoted) is not a registry like localhost:5000 or quay.io/dpdk")
        }
        if let dateTag, !Words.isTag(dateTag, placeholders: []) {
            throw InventoryProblem(file: BuiltInVariable.dateTag.rawValue, "\(dateTag.quoted) cannot be a tag")
        }
        if (try? ImageReference("localhost/\(builderTag)")) == nil {
            throw InventoryProblem(file: BuiltInVariable.builderTag.rawValue, "\(builderTag.quoted) cannot be the name of an image")
        }
        for (variable, value) in [(BuiltInVariable.builderProgram, program), (.extraPushArguments, extraPushArguments)]
        where !value.isPlainLine {
            throw InventoryProblem(file: variable.rawValue, "must be a text without line breaks")
        }
        var parameters: [Parameter: String] = [:]
        for parameter in inventory.parameters {
            guard var value = given[parameter.environment] ?? parameter.defaultValue, !value.isEmpty else { continue }
            if let complaint = parameter.complaint(about: value) { throw InventoryProblem(file: parameter.environment, complaint) }
            if case .folder = parameter.values { value = try Self.folder(value, of: parameter.environment, in: directory) }
            parameters[parameter] = value
        }
        self.parameters = parameters
        names = Dictionary(uniqueKeysWithValues: inventory.parameters.map { ($0.name, $0.environment) })
    }

    private static func folder(_ path: String, of variable: String, in directory: FilePath) throws(InventoryProblem) -> String {
        let given = FilePath(path)
        let absolute = given.isAbsolute ? given : directory.appending(given.components).lexicallyNormalized()
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: absolute.string, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw InventoryProblem(file: variable, "there is no folder \(path.quoted)")
        }
        return absolute.string
    }

    /// Returns why an image is not built with these settings, or `nil` if it is.
    func absence(of image: InventoryImage) -> ImageAbsence? {
        if let name = image.condition, value(of: name) != "Y" {
            return ImageAbsence(image: image.name, isWanted: false, reason: "it is built if \(environment(of: name)) is Y")
        }
        for requirement in image.requirements {
            switch requirement {
            case .label(let name, let value):
                if labels[name] != value {
                    return ImageAbsence(image: image.name, isWanted: true, reason: "this host does not have the label \(name)=\(value)")
                }
            case .parameter(let name):
                if value(of: name) == nil || value(of: name) == "N" {
                    return ImageAbsence(image: image.name, isWanted: true, reason: "\(environment(of: name)) is not set")
                }
            }
        }
        return nil
    }

    private func value(of name: String) -> String? { parameters.first { $0.key.name == name }?.value }

    private func environment(of name: String) -> String { names[name] ?? name }
}

/// An *image absence* says why an image is not built.
public struct ImageAbsence: Hashable, Sendable, Encodable {
    public let image: String
    /// Whether the image was to be built. If not, its absence is no failure.
    public let isWanted: Bool
    public let reason: String

    public init(image: String, isWanted: Bool, reason: String) {
        self.image = image
        self.isWanted = isWanted
        self.reason = reason
    }
}
