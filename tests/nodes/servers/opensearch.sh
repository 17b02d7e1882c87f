# OpenSearch 1 to 3: the server's jars, and its Netty transport as the module it is in the archive.
# Sourced by compose.

coordinates() {
  # The class loader is not published for 1.x; that of 2.x is the same.
  local loader=$version
  at_least 2 0 || loader=2.19.1
  echo "org.opensearch:opensearch:$version org.opensearch:opensearch-plugin-classloader:$loader" \
    "org.opensearch.plugin:transport-netty4-client:$version"
}

arrange() {
  local module=$1/modules/transport-netty4 api plugin=Netty4Plugin jdk
  at_least 3 0 && plugin=Netty4ModulePlugin
  api=$(basename "$1"/lib/log4j-api-*.jar .jar)
  bring "$1/lib" "org.apache.logging.log4j:log4j-core:${api#log4j-api-}"
  mkdir -p "$module" "$1/agent"
  mv "$1"/lib/*netty* "$module"
  printf '%s\n' 'description=Netty 4 transport' "version=$version" 'name=transport-netty4' \
    "classname=org.opensearch.transport.$plugin" 'java.version=1.8' "opensearch.version=$version" \
    'extended.plugins=' 'has.native.controller=false' > "$module/plugin-descriptor.properties"
  cat > "$module/plugin-security.policy" <<'POLICY'
grant {
  permission java.lang.RuntimePermission "*";
  permission java.lang.reflect.ReflectPermission "suppressAccessChecks";
  permission java.util.PropertyPermission "*", "read,write";
  permission java.net.SocketPermission "*", "accept,connect,listen,resolve";
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
};
POLICY
  at_least 3 0 || return 0
  # 3.x asks an agent that is not on Maven Central; a stand-in takes its policy and does nothing.
  jdk=$(need_java 21 25 javac)
  "$jdk/bin/javac" -nowarn -d "$1/agent" "$here/AgentPolicy.java" 2>/dev/null
}

logging() {
  local base='${sys:opensearch.logs.base_path}${sys:file.separator}${sys:opensearch.logs.cluster_name}'
  cat > "$1/log4j2.properties" <<PROPERTIES
status = error
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.plain.ref = plain
rootLogger.appenderRef.json.ref = json
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
appender.plain.type = File
appender.plain.name = plain
appender.plain.fileName = $base.log
appender.plain.layout.type = PatternLayout
appender.plain.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
appender.json.type = File
appender.json.name = json
appender.json.fileName = ${base}_server.json
appender.json.layout.type = OpenSearchJsonLayout
appender.json.layout.type_name = server
PROPERTIES
}

launcher() {
  local java allow=
  if at_least 3 0; then java=$(need_java 21 25)
  else
    java=$(need_java 11 21)
    [ "$(java_major "$java")" -lt 12 ] || allow=-Djava.security.manager=allow
  fi
  launch_script OPENSEARCH "$java" "$allow \"-Dopensearch.path.home=\$home\" \"-Dopensearch.path.conf=\$conf\" \\
  -Dopensearch.distribution.type=tar -Dopensearch.bundled_jdk=false -Dlog4j.shutdownHookEnabled=false \\
  -Dlog4j2.disable.jmx=true -cp \"\$home/lib/*:\$home/agent\" org.opensearch.bootstrap.OpenSearch"
}
