/// The address of the service in a configuration.
extension ConfigurationReader {
    /// Returns the address by which clients reach the service, without a trailing slash. `nil` if it is not
    /// configured.
    public mutating func publicURL() throws -> String? {
        try optionalBaseURL("frontend.public_url").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    }

    /// Returns the names of the target directories. There is always one called `default`.
    public mutating func targetNames() throws -> Set<String> {
        Set(try names(below: "composes.targets")).union(["default"])
    }

    /// Returns the path at which the frontend serves a target directory that no other server serves.
    /// Examples: `/composes`, `/composes-NAME`.
    public static func path(ofTarget name: String) -> String {
        name == "default" ? "/composes" : "/composes-\(name)"
    }
}
